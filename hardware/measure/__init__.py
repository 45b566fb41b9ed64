"""All that is known of a run, measured and filed: accuracy, counts, energy, baseline, break-even."""
