"""Frame-wise style change: clips cut together from two recordings, and a decision at every step."""
