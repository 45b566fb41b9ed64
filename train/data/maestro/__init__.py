"""MAESTRO v3.0.0, as it is distributed: its table, what its titles and composers are, and which side each is on."""
