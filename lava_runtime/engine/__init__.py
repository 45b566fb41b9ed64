"""Batched, bit-exact execution of a network of integers, in one process and without Lava."""
