"""What a bundle says to whoever unpacks it: README.txt, the SLURM job, and the settings that are theirs to make."""

from importlib import metadata

# Of lava-loihi no version is public; this set of three is what a published benchmark ran with (facts of the project,
# section 6; lava-nc 0.9.0, lava-dl 0.5.0, lava-loihi 0.6.0).
KNOWN_SET = "lava-nc 0.9.0, lava-dl 0.5.0, lava-loihi 0.6.0"


def readme(name: str, samples: int, steps: int, layers: int) -> str:
    """Ten lines: what this is, what it needs, what to type, what comes out and where it goes."""
    lines = (
        f"{name}: a spiking network for Loihi 2, {samples} inputs of {steps} steps, and the spikes that each of its "
        f"{layers} layers is to make of them.",
        "Needs Python 3.10 with lava-nc, lava-dl (and setuptools below 81, which lava-dl forgets to ask for), h5py, "
        "numpy, and for the chip lava-loihi (INRC's, not public).",
        f"Packed with lava-nc {metadata.version('lava-nc')} and lava-dl {metadata.version('lava-dl')}; a set known to "
        f"work on the chip: {KNOWN_SET}.",
        "1. Without a chip first:  python run_on_loihi.py --sim --samples 2    Expect: 0 spikes differ.",
        "2. On the chip: set environment and partition in site.sh (it has no hash), then  bash job.sh  on INRC's "
        "virtual machine, or  sbatch job.sh",
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


def site(partition: str) -> str:
    """What differs from place to place, for the job to read: nothing is set in it as it is packed."""
    return f"""# What job.sh is to set before it runs. Edit it as you like: of this file there is no hash.
# Variables that are set already do as well, and the file may be missing.

# The environment that has lava-loihi in it.
# . "$HOME/lava/bin/activate"

# The interpreter, if it is not that environment's python3.
# PYTHON=python3.10

# One of the three: a partition that `sinfo` lists (if none is set {partition}, or the one that sbatch was given); a
# board of it; or a host with a board of its own.
# export PARTITION={partition}
# export BOARD=NAME
# export NXSDKHOST=ADDRESS

# N3B3 is most INRC boards' generation; some are N3C1.
# export LOIHI_GEN=N3B3
"""


def job(name: str, partition: str) -> str:
    """The job for SLURM, which does in a plain shell as well; needs no edits."""
    return f"""#!/bin/bash
# Runs this bundle on a Loihi 2. What differs from place to place is set in site.sh; this file has a hash. Two ways:
#   bash job.sh      in a shell of INRC's virtual machine; Intel's driver asks SLURM for a board itself
#   sbatch job.sh    queued, on a node of the partition below; another by sbatch --partition=NAME job.sh, a board by
#                    --nodelist=NAME (`sinfo` lists them; oheogulch: one chip; kp: eight)
#SBATCH --job-name={name}
#SBATCH --output=job-%j.log
#SBATCH --time=00:30:00
#SBATCH --partition={partition}
set -eu
# SLURM runs a copy of this file from elsewhere.
here="$(dirname "$0")"
[ -f "$here/SHA256SUMS" ] || here="${{SLURM_SUBMIT_DIR:?run this in the folder that it lies in}}"
cd "$here"
sha256sum --check --quiet SHA256SUMS

if [ -f site.sh ]; then
    # Environments' own scripts may use variables that nobody set.
    set +u
    . ./site.sh || {{ echo "job.sh: site.sh ended with an error; mend it, or end it with: true" >&2; exit 1; }}
    set -u
fi
export PARTITION BOARD NXSDKHOST SLURM NOSLURM

# What lava.utils.loihi.use_slurm_host sets; a host of its own goes without SLURM.
if [ -z "${{NXSDKHOST:-}}${{NOSLURM:-}}" ]; then
    export SLURM="${{SLURM:-1}}"
fi
export LOIHI_GEN="${{LOIHI_GEN:-N3B3}}"
# A board that is named lies in a partition of its own, and both would contradict each other.
if [ -z "${{BOARD:-}}${{NXSDKHOST:-}}${{PARTITION:-}}" ]; then
    export PARTITION="${{SLURM_JOB_PARTITION:-{partition}}}"
fi

python="${{PYTHON:-python3}}"
command -v "$python" >/dev/null || {{
    echo "job.sh: no $python on the PATH; set PYTHON or the environment in site.sh" >&2
    exit 1
}}
# In this shell's place, so that signals reach it.
exec "$python" run_on_loihi.py "$@"
"""
