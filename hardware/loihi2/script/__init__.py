"""Run the bundle this file lies in on a Loihi 2, or with ``--sim`` in Lava's simulator, and write result.json.

One file, so that it can travel alone (``python -m hardware bundle`` joins its parts): numpy, h5py, lava-nc, lava-dl
and, for the chip, lava-loihi are all it needs. No chip has run it yet. The closed package is used as public code uses
it:

- Spikes go RingBuffer -> PyToNxAdapter -> net.inp and layer.out -> NxToPyAdapter -> RingBuffer (lava-dl tutorials,
  netx/mnist/utils.py and netx/oxford/utils.py), into a convolution through PyToN3ConvAdapter (lava-dl
  tests/lava/lib/dl/netx/test_hdf5_nx.py, the LIF PilotNet fed with spikes).
- The way out takes no step of its own: lava-dl reads the same window of tiny.net's output in the simulator and on the
  chip (test_hdf5.py and test_hdf5_nx.py there). The way in takes none (the LIF PilotNet there) or two (tutorials,
  netx/pilotnet_snn/run.ipynb): the schedule has room for both, and what it was is found afterwards.
- Profilers are callbacks of Loihi2HwCfg, made before the run and read after it, once in a process (lava-dl tutorials,
  netx/pilotnet_snn/benchmark.ipynb).
- States are recorded by StateProbe, a callback too (lava-optimization, solvers/generic/solver.py), or where a version
  has none by embedded_io.state.Read, connected to a variable (lava-dl tutorials, netx/yolo_kp/run.ipynb).
- The board is chosen by the environment SLURM, LOIHI_GEN, PARTITION and BOARD, or NXSDKHOST (lava-nc utils/loihi.py,
  whose own functions stop at sinfo's default partition and are not used).

Every pass is a process of its own, in a session of its own that is ended when nothing moves any more.
"""
