"""Stage 4: the chip, and what it costs."""
