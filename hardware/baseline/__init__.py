"""Latency and energy of the network and of its ANN twin on the GPU and the processor."""
