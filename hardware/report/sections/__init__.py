"""The page's sections, each a function from the runs to a :class:`hardware.report.blocks.Section`."""
