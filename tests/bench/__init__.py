"""`python -m tests.bench`: what the portal adds to the model's own time, and what it costs."""
