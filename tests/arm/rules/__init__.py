"""Rules over evaluated templates: each takes an Evaluated and gives its complaints, best none."""
