"""The page's pictures, each a function from plain numbers to a :class:`hardware.report.blocks.Figure`."""
