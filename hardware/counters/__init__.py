"""What an inference takes, counted exactly: operations, updates, spikes, bytes."""
