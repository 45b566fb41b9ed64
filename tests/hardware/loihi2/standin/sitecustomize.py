"""Save the seconds that lava-dl takes to load torch, which NetX does not need (as lava_runtime/netx_loader.py does)."""

import sys
import types

for name in ("lava.lib.dl.slayer", "lava.lib.dl.slayer.neuron"):
    sys.modules[name] = types.ModuleType(name)
rf = types.ModuleType("lava.lib.dl.slayer.neuron.rf")
rf.neuron_params = None
sequential = types.ModuleType("lava.lib.dl.netx.sequential_modules")
# Lava asks every module of the package for its file.
sequential.__file__ = __file__
sys.modules.update({module.__name__: module for module in (rf, sequential)})
