"""DH-LIF, a LIF neuron whose input runs through branches with time constants of their own.

Conventions and names are those of Lava's LIF (``lava/proc/lif``). This neuron runs in the simulator only:
no public Process for Loihi 2 has several currents in one neuron, so on the chip it would need neuron
microcode, and there is no public way to write any.
"""

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess, LogConfig
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.lif.models import AbstractPyLifModelFixed, AbstractPyLifModelFloat
from numpy.typing import ArrayLike, NDArray

from export.limits import GAIN_MAX


class DhLif(AbstractProcess):  # type: ignore[misc]
    """Leaky integrate-and-fire neurons with dendritic branches (after DH-SNN, Zheng et al., Nat Commun 15:277, 2024).

    With branch b of B its dynamics abstracts to::

        u_b[t] = u_b[t-1] * (1 - du_b) + a_in_b * 2^-gain_b   # branch current
        v[t] = v[t-1] * (1 - dv) + sum_b u_b[t] + bias        # neuron voltage
        s_out = v[t] > vth                                    # spike if threshold is exceeded
        v[t] = 0                                              # reset at spike

    One branch of gain 0 is ``lava.proc.lif.process.LIF``, bit for bit. On Loihi 2 more would need neuron
    microcode that is not public: this Process has models for the simulator alone.

    Parameters
    ----------
    shape
        The neurons' shape: (neuron,), or (width, height, channel), as Lava counts. ``a_in`` and ``u`` have
        B times as many in the last axis, branch-major: index b * shape[-1] + o is branch b of neuron or channel o.
    branches
        B, at least 1.
    gain
        Right shift of a branch's input, 0 to 6: a number, or shape (B,).
    u, v
        Initial currents and voltage, numbers or of the shapes above.
    du
        Inverse of the time constants of the branch currents: a number, shape (B,), or (B, shape[-1]) for one a
        channel or neuron. In fixed point 1/4096 a step less one, as in Lava's LIF (-1 to 4095).
    dv
        Inverse of the voltage's: a number, or shape (shape[-1],). In fixed point 1/4096 a step.
    bias_mant, bias_exp
        Mantissa and exponent of the bias, numbers or of ``shape``. Floating point ignores the exponent.
    vth
        Threshold. In fixed point it is shifted left by 6.

    Raises
    ------
    ValueError
        A parameter of the wrong shape, a gain out of range, no branch.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        branches: int = 1,
        gain: ArrayLike = 0,
        u: ArrayLike = 0,
        v: ArrayLike = 0,
        du: ArrayLike = 0,
        dv: ArrayLike = 0,
        bias_mant: ArrayLike = 0,
        bias_exp: ArrayLike = 0,
        vth: float = 10,
        name: str | None = None,
        log_config: LogConfig | None = None,
        **kwargs: Any,
    ) -> None:
        if branches < 1:
            raise ValueError(f"{branches} branches, there must be at least 1")
        shift, decay = np.asarray(gain), np.asarray(dv)
        if shift.dtype.kind not in "iu" or shift.min() < 0 or shift.max() > GAIN_MAX:
            raise ValueError(f"gain {shift.tolist()}, allowed are whole numbers from 0 to {GAIN_MAX}")
        if decay.shape not in ((), (1,), shape[-1:]):
            raise ValueError(f"dv of shape {decay.shape}, allowed are one number or shape {shape[-1:]}")
        super().__init__(shape=shape, name=name, log_config=log_config, **kwargs)
        inner = (*shape[:-1], branches * shape[-1])
        self.a_in = InPort(shape=inner)
        self.s_out = OutPort(shape=shape)
        self.u = Var(shape=inner, init=u)
        self.v = Var(shape=shape, init=v)
        self.gain = Var(shape=inner[-1:], init=_each("gain", shift, branches, shape[-1]))
        self.du = Var(shape=inner[-1:], init=_each("du", np.asarray(du), branches, shape[-1]))
        self.dv = Var(shape=decay.shape or (1,), init=decay)
        self.bias_exp = Var(shape=shape, init=bias_exp)
        self.bias_mant = Var(shape=shape, init=bias_mant)
        self.vth = Var(shape=(1,), init=vth)


class DhLifReset(DhLif):
    """:class:`DhLif` whose branch currents and voltage go to 0 in regular intervals, as ``LIFReset``'s do.

    Parameters
    ----------
    reset_interval
        Steps between two resets, at least 1.
    reset_offset
        The states are 0 before a step t with t % reset_interval == reset_offset % reset_interval;
        Lava's first step is 1.
    **kwargs
        Of :class:`DhLif`.

    Raises
    ------
    ValueError
        Interval or offset out of range, or as :class:`DhLif`.
    """

    def __init__(self, *, reset_interval: int = 1, reset_offset: int = 0, **kwargs: Any) -> None:
        if reset_interval < 1 or reset_offset < 0:
            found = f"reset interval {reset_interval} and offset {reset_offset}"
            raise ValueError(f"{found}, allowed are at least 1 and at least 0")
        super().__init__(**kwargs)
        self.proc_params["reset_interval"] = reset_interval
        self.proc_params["reset_offset"] = reset_offset


def _each(word: str, value: NDArray[Any], branches: int, channels: int) -> NDArray[Any]:
    """A value for each of the last axis of ``a_in``, shape (branches * channels,)."""
    if value.ndim and value.shape not in ((branches,), (branches, channels)):
        allowed = f"one number, shape {(branches,)} or {(branches, channels)}"
        raise ValueError(f"{word} of shape {value.shape}, allowed are {allowed}")
    by_branch = value[:, np.newaxis] if value.ndim == 1 else value
    return np.broadcast_to(by_branch, (branches, channels)).reshape(-1)


def _sum_branches(u: NDArray[Any], v: NDArray[Any]) -> NDArray[Any]:
    """Sum the currents of a neuron's branches; ``v`` lends its shape."""
    total: NDArray[Any] = u.reshape(*v.shape[:-1], -1, v.shape[-1]).sum(axis=-2)
    return total


class AbstractPyDhLifModelFloat(AbstractPyLifModelFloat):  # type: ignore[misc]
    """The neurons in floating point, step by step as Lava's LIF."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    du: NDArray[Any] = LavaPyType(np.ndarray, float)
    dv: NDArray[Any] = LavaPyType(np.ndarray, float)
    gain: NDArray[Any] = LavaPyType(np.ndarray, np.int32)
    vth: float = LavaPyType(float, float)

    def subthr_dynamics(self, activation_in: NDArray[Any]) -> None:
        """Decay the branch currents, add their input, and integrate their sum."""
        self.u[:] = self.u * (1 - self.du)
        self.u[:] += np.ldexp(activation_in, -self.gain)
        self.v[:] = self.v * (1 - self.dv) + _sum_branches(self.u, self.v) + self.bias_mant

    def spiking_activation(self) -> Any:
        return self.v > self.vth


class AbstractPyDhLifModelFixed(AbstractPyLifModelFixed):  # type: ignore[misc]
    """The neurons in the chip's integers, as Lava's bit-accurate LIF would compute them with branches.

    Integers, ``tz`` cutting towards zero::

        u_b <- wrap(tz(u_b * (4096 - (du_b + 1)) / 4096) + ((a_in_b << 6) >> gain_b))
        I   <- wrap(sum_b u_b)
        v   <- clip(tz(v * (4096 - dv) / 4096) + I + (bias_mant << bias_exp))
        s_out <- v > (vth << 6);  v <- 0 where s_out

    Currents and their sum wrap at 24 bits as ``PyLifModelBitAcc``'s current does, once; the voltage saturates.
    """

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    # Lava's du is unsigned, but the decay of 0 makes it -1.
    du: NDArray[Any] = LavaPyType(np.ndarray, np.int32, precision=12)
    dv: NDArray[Any] = LavaPyType(np.ndarray, np.int32, precision=12)
    gain: NDArray[Any] = LavaPyType(np.ndarray, np.int32, precision=3)
    vth: int = LavaPyType(int, np.int32, precision=17)

    def scale_threshold(self) -> None:
        self.effective_vth = np.left_shift(self.vth, self.vth_shift)
        self.isthrscaled = True

    def subthr_dynamics(self, activation_in: NDArray[Any]) -> None:
        """Decay the branch currents, add their input, and integrate their sum."""
        # 64 bits, because products of a state and a decay have 36.
        arrived = (activation_in.astype(np.int64) << self.act_shift) >> self.gain
        self.u[:] = self._wrap(self._decay(self.u, self.du + self.ds_offset) + arrived)
        # One branch has nothing to be added to: its current is the sum, wrapped as often as Lava's LIF does it.
        single = self.u.shape == self.v.shape
        current = self.u if single else self._wrap(_sum_branches(self.u.astype(np.int64), self.v))
        limit = self.max_uv_val - 1
        voltage = self._decay(self.v, self.dv + self.dm_offset) + current + self.effective_bias
        self.v[:] = np.clip(voltage, -limit, limit)

    def spiking_activation(self) -> Any:
        return self.v > self.effective_vth

    def _decay(self, state: NDArray[Any], rate: NDArray[Any]) -> NDArray[Any]:
        product = state.astype(np.int64) * (self.decay_unity - rate)
        cut: NDArray[Any] = np.sign(product) * (np.abs(product) >> self.decay_shift)
        return cut

    def _wrap(self, current: NDArray[Any]) -> NDArray[Any]:
        """Bring a current outside (-2^23, 2^23] back in at the other end."""
        turn = np.where(current > self.max_uv_val, -2, np.where(current <= -self.max_uv_val, 2, 0))
        wrapped: NDArray[Any] = current + turn * self.max_uv_val
        return wrapped


class _Resets:
    """What the resetting models add to the others."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)  # type: ignore[call-arg]
        self.reset_interval: int = proc_params["reset_interval"]
        self.reset_offset: int = proc_params["reset_offset"] % self.reset_interval

    def run_spk(self) -> None:
        if self.time_step % self.reset_interval == self.reset_offset:  # type: ignore[attr-defined]
            self.u[:] = 0  # type: ignore[attr-defined]
            self.v[:] = 0  # type: ignore[attr-defined]
        super().run_spk()  # type: ignore[misc]


@implements(proc=DhLif, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyDhLifModelFloat(AbstractPyDhLifModelFloat):
    """:class:`DhLif` in floating point."""


@implements(proc=DhLif, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyDhLifModelFixed(AbstractPyDhLifModelFixed):
    """:class:`DhLif` in the chip's integers."""


@implements(proc=DhLifReset, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyDhLifResetModelFloat(_Resets, AbstractPyDhLifModelFloat):
    """:class:`DhLifReset` in floating point."""


@implements(proc=DhLifReset, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyDhLifResetModelFixed(_Resets, AbstractPyDhLifModelFixed):
    """:class:`DhLifReset` in the chip's integers."""
