"""Stage 2: from a trained network to a checked NetX file."""
