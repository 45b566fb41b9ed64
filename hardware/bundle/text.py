"""What a bundle says to whoever unpacks it: README.txt and the SLURM job."""

from importlib import metadata

# Of lava-loihi no version is public; this set of three is what a published benchmark ran with (facts of the project,
# section 6; lava-nc 0.9.0, lava-dl 0.5.0, lava-loihi 0.6.0).
KNOWN_SET = "lava-nc 0.9.0, lava-dl 0.5.0, lava-loihi 0.6.0"


def readme(name: str, samples: int, steps: int, layers: int) -> str:
    """Ten lines: what this is, what it needs, what to type, what comes out and where it goes."""
    lines = (
        f"{name}: a spiking network for Loihi 2, {samples} inputs of {steps} steps, and the spikes that each of its "
        f"{layers} layers is to make of them.",
        "Needs Python 3.10 with lava-nc, lava-dl (and setuptools, which lava-dl forgets to ask for), h5py, numpy, and "
        "for the chip lava-loihi (INRC's, not public).",
        f"Packed with lava-nc {metadata.version('lava-nc')} and lava-dl {metadata.version('lava-dl')}; a set known to "
        f"work on the chip: {KNOWN_SET}.",
        "1. Without a chip first:  python run_on_loihi.py --sim --samples 2    Expect: 0 spikes differ.",
        "2. On the chip: set partition and environment in job.sh, then  bash job.sh  on INRC's virtual machine, or  "
        "sbatch job.sh",
        "   It checks the hashes, streams the samples and records the layers, then repeats one sample and measures "
        "power, time, activity, memory.",
        "3. result.json is written after either part, so the first survives if the second fails. No power wanted: "
        "--no-profile",
        "   If all layers are too much to record: --layers output. All options: python run_on_loihi.py --help",
        "4. Bring result.json back to the project:  python -m hardware bundle --read result.json RUN",
        "   It compares every spike, says where the first differs, and files what was measured into "
        "RUN/measurement.json.",
    )
    return "\n".join(lines) + "\n"


def job(name: str, partition: str) -> str:
    """The job for SLURM, which does in a plain shell as well."""
    return f"""#!/bin/bash
# Runs this bundle on a Loihi 2. Two ways:
#   bash job.sh      in a shell of INRC's virtual machine; Intel's driver asks SLURM for a board itself
#   sbatch job.sh    queued, on a node of the partition below
#SBATCH --job-name={name}
#SBATCH --output=job-%j.log
#SBATCH --time=00:30:00
# EDIT for sbatch: a partition that `sinfo` lists (oheogulch: one chip; kp: eight). A board: --nodelist=NAME
#SBATCH --partition={partition}
set -eu
# SLURM runs a copy of this file from elsewhere.
here="$(dirname "$0")"
[ -f "$here/SHA256SUMS" ] || here="${{SLURM_SUBMIT_DIR:?run this in the folder that it lies in}}"
cd "$here"
sha256sum --check --quiet SHA256SUMS

# EDIT: the environment that has lava-loihi in it.
# source "$HOME/lava/bin/activate"

# What lava.utils.loihi.use_slurm_host sets.
export SLURM=1
# EDIT: N3B3 is most INRC boards' generation; some are N3C1.
export LOIHI_GEN="${{LOIHI_GEN:-N3B3}}"
# EDIT: either a partition or a board, not both.
export PARTITION="${{PARTITION:-{partition}}}"
# unset PARTITION; export BOARD=NAME

python run_on_loihi.py --out result.json "$@"
"""
