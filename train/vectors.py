"""Let numba use the processor's widest vectors; import before anything is compiled, as modules of kernels do.

LLVM keeps to 256 bits on every Intel processor with AVX-512, since the first ones slowed their clock for more. Those
with AVX-512 VBMI2 (Ice Lake and Zen 4 on) do not: with all 512 the training step takes a fifth to a quarter less time,
the engine a tenth. The numbers are the same. ``NUMBA_CPU_FEATURES``, if set, is left alone.
"""

import os

import llvmlite.binding as llvm
from numba.core import config


def prefer_wide() -> None:
    """Take LLVM's preference away, where the processor is one of those that gain."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512vbmi2") and not os.environ.get("NUMBA_CPU_FEATURES"):
        config.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"
