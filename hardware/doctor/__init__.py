"""What of the way to the chip is there on this machine."""
