"""Energy of an inference on named devices, as a band, from counts and published constants."""
