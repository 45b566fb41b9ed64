"""Frame-wise style change, LIF against DH-LIF, as deployed: the seeds' experiment, with sides and baselines."""
