"""Custom Lava Processes and nothing else: Lava imports every file that lies beside a Process."""
