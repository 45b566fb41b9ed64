"""Cores a network takes on a Loihi 2, and what binds."""
