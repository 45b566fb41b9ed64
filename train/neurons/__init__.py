"""Neurons: kernels of their dynamics and the SLAYER blocks built on them."""
