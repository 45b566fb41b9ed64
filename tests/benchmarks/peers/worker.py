"""One library's LIF population, run forward and backward on demand; started by ``tests/benchmarks/test_peers.py``.

``worker.py NAME`` builds the form called NAME and says so on stdout; then every line on stdin asks for one round, and
is answered by its seconds. A process a form, so that none can disturb another, and each idle while another is measured.
Runs in the peers' environment or the product's, whichever has the library.
"""

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BATCH, NEURONS, STEPS, THREADS = 32, 1024, 100, 2
# Share of steps on which a neuron fires: each form's input is scaled until it does.
RATE = 0.05
CURRENT_DECAY, VOLTAGE_DECAY = 0.1, 0.05

TIME_FIRST, TIME_SECOND, TIME_LAST = (2, 0, 1), (0, 2, 1), (0, 1, 2)
Wrap = Callable[[Any], Any]


@dataclass(frozen=True)
class Form:
    """A way to have the population.

    Parameters
    ----------
    library, states, text
        What it is; states a neuron.
    axes
        How it wants (batch, neuron, time) to lie in memory.
    build
        Gives the function of the input, with the wrapper of its single step.
    compiled
        What goes through torch.compile: nothing, a step, or the whole sequence.
    view
        Where it wants the axes seen, if not as they lie in memory.
    """

    library: str
    states: int
    text: str
    axes: tuple[int, int, int]
    build: Callable[[Wrap], Callable[[Any], Any]]
    compiled: str = ""
    view: tuple[int, int, int] = (0, 1, 2)


def _ours(wrap: Wrap) -> Any:
    from train.neurons.lif import Neuron

    return Neuron(1.0, CURRENT_DECAY, VOLTAGE_DECAY, requires_grad=False)


def _slayer(wrap: Wrap) -> Any:
    from lava.lib.dl import slayer

    return slayer.neuron.cuba.Neuron(1.0, CURRENT_DECAY, VOLTAGE_DECAY, requires_grad=False)


def _snntorch(kind: str) -> Callable[[Wrap], Any]:
    def build(wrap: Wrap) -> Any:
        import snntorch
        import torch
        from snntorch import surrogate

        options = {"spike_grad": surrogate.fast_sigmoid(), "reset_mechanism": "zero"}
        if kind == "Leaky":
            cell = snntorch.Leaky(beta=1 - VOLTAGE_DECAY, **options)
        else:
            cell = snntorch.Synaptic(alpha=1 - CURRENT_DECAY, beta=1 - VOLTAGE_DECAY, **options)
        step = wrap(cell)

        def sequence(x: Any) -> Any:
            state = [torch.zeros_like(x[0])] * (1 if kind == "Leaky" else 2)
            found = []
            for t in range(len(x)):
                spikes, *state = step(x[t], *state)
                found.append(spikes)
            return torch.stack(found)

        return sequence

    return build


def _spikingjelly(kind: str) -> Callable[[Wrap], Any]:
    def build(wrap: Wrap) -> Any:
        from spikingjelly.activation_based import functional, neuron, surrogate

        if kind == "LIFNode":
            options = {"decay_input": False, "surrogate_function": surrogate.ATan()}
            node = neuron.LIFNode(1 / VOLTAGE_DECAY, step_mode="m", backend="torch", **options)
        else:
            from spikingjelly.activation_based.lava_exchange import CubaLIFNode

            node = CubaLIFNode(CURRENT_DECAY, VOLTAGE_DECAY, step_mode="m")
        node.single_step_forward = wrap(node.single_step_forward)

        def sequence(x: Any) -> Any:
            functional.reset_net(node)
            return node(x)

        return sequence

    return build


def _norse(kind: str) -> Callable[[Wrap], Any]:
    def build(wrap: Wrap) -> Any:
        import norse.torch
        import torch

        rates = {"tau_mem_inv": torch.as_tensor(1000 * VOLTAGE_DECAY)}
        if kind == "LIF":
            parameters = norse.torch.LIFParameters(tau_syn_inv=torch.as_tensor(1000 * CURRENT_DECAY), **rates)
            layer, cell = norse.torch.LIF(parameters), norse.torch.LIFCell(parameters)
        else:
            cell = norse.torch.LIFBoxCell(norse.torch.LIFBoxParameters(**rates))
            layer = norse.torch.Lift(cell)
        step = wrap(cell)
        if step is cell:
            return lambda x: layer(x)[0]

        def sequence(x: Any) -> Any:
            state, found = None, []
            for t in range(len(x)):
                spikes, state = step(x[t], state)
                found.append(spikes)
            return torch.stack(found)

        return sequence

    return build


def _sinabs(tau_syn: float | None) -> Callable[[Wrap], Any]:
    def build(wrap: Wrap) -> Any:
        from sinabs import activation, layers

        choice = {"spike_fn": activation.SingleSpike, "reset_fn": activation.MembraneReset(), "norm_input": False}
        layer = layers.LIF(1 / VOLTAGE_DECAY, tau_syn, **choice)
        for parameter in layer.parameters():
            parameter.requires_grad_(False)

        def sequence(x: Any) -> Any:
            layer.reset_states()
            return layer(x)

        return sequence

    return build


def _forms() -> dict[str, Form]:
    plain = {
        "snntorch_leaky": Form("snntorch", 1, "Leaky, loop over steps", TIME_FIRST, _snntorch("Leaky")),
        "snntorch_synaptic": Form("snntorch", 2, "Synaptic, loop over steps", TIME_FIRST, _snntorch("Synaptic")),
        "spikingjelly_lif": Form("spikingjelly", 1, "LIFNode, multi-step", TIME_FIRST, _spikingjelly("LIFNode")),
        "spikingjelly_cuba": Form("spikingjelly", 2, "CubaLIFNode, multi-step", TIME_FIRST, _spikingjelly("Cuba")),
        "norse_box": Form("norse", 1, "Lift(LIFBoxCell)", TIME_FIRST, _norse("LIFBox")),
        "norse_lif": Form("norse", 2, "LIF over a sequence", TIME_FIRST, _norse("LIF")),
        "sinabs_lif": Form("sinabs", 1, "LIF, multi-step", TIME_SECOND, _sinabs(None)),
        "sinabs_synaptic": Form("sinabs", 2, "LIF with tau_syn, multi-step", TIME_SECOND, _sinabs(1 / CURRENT_DECAY)),
    }
    found = {
        "ours": Form("maestro-loihi", 2, "lif.Neuron, input by neuron", TIME_LAST, _ours),
        # As the layers of this project hand sums on: in frames, seen with the time last.
        "ours_frames": Form("maestro-loihi", 2, "lif.Neuron, input in frames", TIME_SECOND, _ours, view=TIME_SECOND),
        "slayer": Form("lava-dl", 2, "SLAYER's cuba.Neuron", TIME_LAST, _slayer),
    }
    for name, form in plain.items():
        found[name] = form
        if form.library != "sinabs":
            found[f"{name}_step"] = Form(**{**vars(form), "compiled": "step"})
        # These take as long to compile as steps are many: one for each kind of loop.
        if name in ("snntorch_leaky", "snntorch_synaptic", "spikingjelly_lif", "norse_lif"):
            found[f"{name}_sequence"] = Form(**{**vars(form), "compiled": "sequence"})
    return found


FORMS = _forms()


def prepare(form: Form) -> tuple[Callable[[], dict[str, float]], dict[str, Any]]:
    """A function that runs one round and says its seconds, and what is to be known of the form."""
    import importlib.metadata

    import torch

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    shape = (BATCH, NEURONS, STEPS)
    noise, gradient = (torch.randn(shape).permute(form.axes).contiguous().permute(form.view) for _ in range(2))
    plain = form.build(lambda step: step)
    low, high = -8.0, 8.0
    with torch.no_grad():
        for _ in range(10):
            middle = (low + high) / 2
            busy = float((plain(noise * 2.0**middle) > 0).float().mean()) > RATE
            low, high = (low, middle) if busy else (middle, high)
    x = (noise * 2.0**high).requires_grad_()
    run = plain
    if form.compiled == "step":
        run = form.build(torch.compile)
    elif form.compiled:
        run = torch.compile(plain)

    def round_() -> dict[str, float]:
        x.grad = None
        started = time.perf_counter()
        spikes = run(x)
        between = time.perf_counter()
        spikes.backward(gradient)
        ended = time.perf_counter()
        return {"forward_s": between - started, "backward_s": ended - between, "rate": float(spikes.detach().mean())}

    started = time.perf_counter()
    first = round_()
    known = {
        "version": importlib.metadata.version(form.library),
        "torch": torch.__version__,
        "first_s": time.perf_counter() - started,
        "rate": first["rate"],
    }
    if x.grad is None or not bool(torch.isfinite(x.grad).all()) or not float(x.grad.abs().sum()):
        raise RuntimeError("no gradient came back")
    return round_, known


def main() -> None:
    """Answer on what was stdout; what the libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    try:
        round_, known = prepare(FORMS[sys.argv[1]])
    except Exception as error:
        line = (str(error).strip().splitlines() or [""])[0]
        print(json.dumps({"error": f"{type(error).__name__}: {line}"[:200]}), file=answers)
        return
    print(json.dumps(known), file=answers)
    for _ in sys.stdin:
        print(json.dumps(round_()), file=answers)


if __name__ == "__main__":
    main()
