"""Stage 1: from recordings to a trained network in a run folder."""
