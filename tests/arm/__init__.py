"""The Azure templates, evaluated offline and held against the rules of the perimeter."""
