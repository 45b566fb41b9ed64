"""Stage 3: a NetX file run in Lava, and compared with where it came from."""
