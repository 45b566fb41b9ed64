"""A run packed to be carried to a machine with a chip, and what comes back."""
