class NxBoard:
    """Named by lava-nc in signatures."""
