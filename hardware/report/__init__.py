"""A page that shows what was measured of one run, or of several side by side."""
