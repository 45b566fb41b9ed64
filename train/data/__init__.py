"""Data sets: recordings with labels and splits."""
