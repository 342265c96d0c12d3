"""Simpler models of the same data, trained once, for a section's model to stand beside."""
