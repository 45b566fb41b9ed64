"""Whole layers, weights and neurons in one: what blocks run on the CPU. See ``train.neurons.layer_kernels``.

Tensors keep SLAYER's shapes, time last, but lie in frames: (sample, time, height, channel) in memory. So a layer finds
its input as the one before has left it, and nothing is turned in between. Input that lies otherwise is copied.
"""

from typing import Any

import torch

from train.neurons.layer_kernels import PITCH, layer_backward, layer_forward
from train.neurons.memory import fresh, scratch
from train.neurons.population import Neuron, decay_gradients, decay_shares, population
from train.neurons.population_kernels import pool_backward, pool_forward
from train.neurons.states import Population
from train.neurons.wiring import Wires

# Gradients of weights are added up in so many parts, whatever the number of threads.
_GROUPS = 8


def layer(
    x: torch.Tensor,
    weight: torch.Tensor,
    wires: Wires,
    branch_decay: torch.Tensor,
    gain: torch.Tensor,
    voltage_decay: torch.Tensor,
    neuron: Neuron,
    shift: int,
) -> torch.Tensor:
    """Spikes of a dense layer or narrow convolution; equal to ``dh_lif`` of its weighted sums.

    Parameters
    ----------
    x
        Shape (sample, channel, time) or (sample, channel, height, 1, time), float32.
    weight
        Shape (out, channel, kernel, ...), as the synapse uses it.
    wires
        How they go together.
    branch_decay, gain, voltage_decay, neuron, shift
        As for ``train.neurons.dynamics.dh_lif``.

    Returns
    -------
    torch.Tensor
        Spikes, shape (sample, out, time) or (sample, out, height, 1, time).
    """
    spikes: torch.Tensor = _Layer.apply(  # type: ignore[no-untyped-call]
        x, weight, wires, branch_decay, gain, voltage_decay, neuron, shift
    )
    return spikes


def pool(
    x: torch.Tensor,
    size: int,
    weight: float,
    current_decay: torch.Tensor,
    voltage_decay: torch.Tensor,
    neuron: Neuron,
    shift: int,
) -> torch.Tensor:
    """Spikes of neurons that each see ``weight`` times a block of ``size`` along the height, the last filled up.

    Shapes (sample, channel, height, 1, time); decays and the rest as for ``train.neurons.dynamics.cuba_lif``.
    """
    spikes: torch.Tensor = _Pool.apply(  # type: ignore[no-untyped-call]
        x, size, weight, current_decay, voltage_decay, neuron, shift
    )
    return spikes


def in_frames(x: torch.Tensor) -> torch.Tensor:
    """(sample, time, height * channel) of (sample, channel, time) or (sample, channel, height, 1, time)."""
    turned = x.detach().transpose(1, 2) if x.dim() == 3 else x.detach().squeeze(3).permute(0, 3, 2, 1)
    if not turned.is_contiguous():
        turned = fresh(turned.shape).copy_(turned)
    return turned.flatten(2)


def _out_of_frames(frames: torch.Tensor, like: torch.Tensor, channels: int) -> torch.Tensor:
    """Frames with the axes of ``like``."""
    if like.dim() == 3:
        return frames.transpose(1, 2)
    return frames.view(*frames.shape[:2], -1, channels).permute(0, 3, 2, 1).unsqueeze(3)


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        wires: Wires,
        branch_decay: torch.Tensor,
        gain: torch.Tensor,
        voltage_decay: torch.Tensor,
        neuron: Neuron,
        shift: int,
    ) -> torch.Tensor:
        frames = in_frames(x)
        samples, steps, inputs = frames.shape
        pop = population(branch_decay, gain, voltage_decay, neuron, wires.positions, wires.out, steps, shift)
        spikes = fresh((samples, steps, pop.keep_v.size))
        workers, room = _room(wires, pop, steps, inputs)
        layer_forward(frames.numpy(), wires.wiring, wires.pack(weight), pop, workers, room, spikes.numpy())
        ctx.save_for_backward(frames, weight, branch_decay, voltage_decay)
        ctx.wires, ctx.population = wires, pop
        return _out_of_frames(spikes, x, wires.out)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        frames, weight, branch_decay, voltage_decay = ctx.saved_tensors
        wires: Wires = ctx.wires
        pop: Population = ctx.population._replace(learns=any(ctx.needs_input_grad[3:]))
        samples, steps, inputs = frames.shape
        wanted: bool = ctx.needs_input_grad[0]
        grad_x = fresh(frames.shape if wanted else (0, 0, 0))
        rows = fresh((min(_GROUPS, samples), wires.channels, wires.reach)).numpy()
        shares = decay_shares(pop, samples)
        workers, room = _room(wires, pop, steps, inputs)
        layer_backward(
            frames.numpy(),
            wires.wiring,
            wires.pack(weight),
            pop,
            workers,
            room,
            in_frames(grads[0]).numpy(),
            wires.back(weight),
            wanted,
            grad_x.numpy(),
            rows,
            *shares,
        )
        grad_branch, grad_voltage = decay_gradients(pop, shares, branch_decay, voltage_decay)
        grad_input = _out_of_frames(grad_x, grads[0], wires.channels) if wanted else None
        return grad_input, wires.unpack(rows, weight.shape), None, grad_branch, None, grad_voltage, None, None


class _Pool(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        size: int,
        weight: float,
        current_decay: torch.Tensor,
        voltage_decay: torch.Tensor,
        neuron: Neuron,
        shift: int,
    ) -> torch.Tensor:
        frames, channels = in_frames(x), x.shape[1]
        samples, steps, _ = frames.shape
        decay, gain = current_decay.unsqueeze(0), torch.ones(1)
        pop = population(decay, gain, voltage_decay, neuron, -(-x.shape[2] // size), channels, steps, shift)
        spikes = fresh((samples, steps, pop.keep_v.size))
        workers, room = scratch(steps, pop.keep.size, pop.keep.size, pop.keep_v.size)
        pool_forward(frames.numpy(), size, weight, pop, workers, room, spikes.numpy())
        ctx.save_for_backward(frames, current_decay, voltage_decay)
        ctx.size, ctx.weight, ctx.population = size, weight, pop
        return _out_of_frames(spikes, x, channels)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        frames, current_decay, voltage_decay = ctx.saved_tensors
        pop: Population = ctx.population._replace(learns=any(ctx.needs_input_grad[3:]))
        grad_x, shares = fresh(frames.shape), decay_shares(pop, len(frames))
        workers, room = scratch(frames.shape[1], pop.keep.size, pop.keep.size, pop.keep_v.size)
        grad = in_frames(grads[0]).numpy()
        pool_backward(frames.numpy(), ctx.size, ctx.weight, pop, workers, room, grad, grad_x.numpy(), *shares)
        grad_current, grad_voltage = decay_gradients(pop, shares, current_decay.unsqueeze(0), voltage_decay)
        grad_current = None if grad_current is None else grad_current.squeeze(0)
        return _out_of_frames(grad_x, grads[0], pop.channels), None, None, grad_current, grad_voltage, None, None


def _room(wires: Wires, pop: Population, steps: int, inputs: int) -> Any:
    return scratch(
        steps, wires.wiring.width, pop.keep.size, pop.keep_v.size, inputs, frame=wires.frame, products=4 * PITCH
    )
