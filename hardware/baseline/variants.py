"""Ways to run a network on a device: as users write it, and the best that torch and this project offer.

A weak baseline flatters the chip, so that the ANN is given what it can use: no autograd, frozen graphs, a compiler,
layers rewritten as products of matrices, half precision, 8-bit weights, CUDA graphs, one core or all.
"""

import copy
import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hardware.baseline.forms import Graph, InPieces, ProductAnn
from hardware.baseline.subject import Subject
from train.topology import AnnNetwork

# torch.backends.cudnn.allow_tf32 is on by default, torch.backends.cuda.matmul.allow_tf32 off; both are left as users
# have them, and a strong baseline wants.
_TF32 = "convolutions in TF32 on Ampere or newer, as torch has them by default, all else in float32"

Call = Callable[[Any], Any]
Spikes = NDArray[np.uint8]


class CannotError(Exception):
    """A variant that cannot be had here; the text says why."""


@dataclass(frozen=True)
class Variant:
    """A way to run a network.

    Parameters
    ----------
    what
        In words.
    build
        Given subject and threads, a function of one batch that returns scores (sample, neuron).
    give
        A batch of spikes as that function takes it.
    threads
        Cores it may use; None for all.
    """

    what: str
    build: Callable[[Subject, int], Call]
    give: Callable[[Spikes], Any]
    threads: int | None = None


def variants_of(subject: Subject, device: str) -> dict[str, Variant]:
    """All ways to run a network on ``cpu`` or ``cuda``, by name; the first is the plainest."""
    if device == "cuda":
        return _ann_cuda() if subject.key == "ann" else _snn_cuda()
    return _ann_cpu() if subject.key == "ann" else _snn_cpu()


def tools() -> dict[str, str | None]:
    """What builds variants, as it is found now: a variant that could not be had without is tried again with it."""
    found = {name: shutil.which(name) for name in ("c++", "g++", "clang++", "ninja", "nvcc")}
    return {**found, "CUDA_HOME": os.environ.get("CUDA_HOME")}


def _ann_cpu() -> dict[str, Variant]:
    product = "layers as products of matrices, channels innermost, in pieces of 16 samples"
    return {
        "eager": Variant("torch as written, in evaluation mode", _eager, _floats),
        "inference": Variant("the same in inference mode", _inference, _floats),
        "frozen": Variant("traced and frozen by TorchScript", _frozen, _floats),
        "product": Variant(product, _product, _floats),
        "product_1": Variant(f"{product}, one core", _product, _floats, 1),
        "int8": Variant(f"{product}; 8-bit weights, quantised dynamically", _int8, _floats),
        "compiled": Variant(f"{product}; compiled by torch.compile", _compiled, _floats),
        "compiled_1": Variant(f"{product}; compiled by torch.compile, one core", _compiled, _floats, 1),
        "half": Variant(f"{product}; bfloat16, compiled by torch.compile", _compiled_half, _floats),
    }


def _ann_cuda() -> dict[str, Variant]:
    product = "layers as products of matrices, channels innermost"
    return {
        "eager": Variant(f"torch as written, in evaluation mode; {_TF32}", _eager_cuda, _floats_cuda),
        "inference": Variant(f"the same in inference mode; {_TF32}", _inference_cuda, _floats_cuda),
        "half": Variant("float16, in inference mode", _half_cuda, _halves_cuda),
        "graph": Variant(f"recorded as a CUDA graph; {_TF32}", _graph, _floats_cuda),
        "half_graph": Variant("float16, recorded as a CUDA graph", _half_graph, _halves_cuda),
        "product_graph": Variant(f"{product}; float16, recorded as a CUDA graph", _product_graph, _halves_cuda),
    }


def _snn_cpu() -> dict[str, Variant]:
    return {
        "eager": Variant("SLAYER's forward in torch with this project's kernels, as trained", _eager, _floats),
        "inference": Variant("the same in inference mode", _inference, _floats),
        "engine": Variant("the exported integers in this project's engine", _engine, _same),
        "engine_1": Variant("the exported integers in this project's engine, one core", _engine, _same, 1),
    }


def _snn_cuda() -> dict[str, Variant]:
    return {
        "eager": Variant(f"SLAYER's forward in torch, as trained; {_TF32}", _eager_cuda, _floats_cuda),
        "inference": Variant(f"the same in inference mode; {_TF32}", _inference_cuda, _floats_cuda),
    }


def _floats(spikes: Spikes) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(spikes)).float()


def _floats_cuda(spikes: Spikes) -> torch.Tensor:
    return _floats(spikes).cuda()


def _halves_cuda(spikes: Spikes) -> torch.Tensor:
    return _floats(spikes).cuda().half()


def _same(spikes: Spikes) -> Spikes:
    return np.ascontiguousarray(spikes)


def _eager(subject: Subject, _threads: int) -> Call:
    return subject.network.scores


def _inference(subject: Subject, _threads: int) -> Call:
    return _without_autograd(subject.network.scores)


def _without_autograd(call: Call) -> Call:
    def run(x: Any) -> Any:
        with torch.inference_mode():
            return call(x)

    return run


def _ann(subject: Subject) -> AnnNetwork:
    assert isinstance(subject.network, AnnNetwork)
    return subject.network


def _frozen(subject: Subject, _threads: int) -> Call:
    plan = subject.network.plan[0]
    example = torch.zeros(2, plan.channels_in, plan.height_in, 1, 8)
    with warnings.catch_warnings():
        # Tracing warns of shapes that it takes for constants; decisions are checked at other shapes afterwards.
        warnings.simplefilter("ignore")
        with torch.inference_mode():
            traced: Any = torch.jit.trace(_ann(subject), example, check_trace=False)  # type: ignore[no-untyped-call]
    return _without_autograd(torch.jit.freeze(traced))


def _product(subject: Subject, _threads: int) -> Call:
    return _without_autograd(InPieces(ProductAnn(_ann(subject)).eval()))


def _int8(subject: Subject, _threads: int) -> Call:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantised = torch.ao.quantization.quantize_dynamic(
            ProductAnn(_ann(subject)).eval(), {nn.Linear}, dtype=torch.qint8
        )
    return _without_autograd(InPieces(quantised))


def _compiled(subject: Subject, _threads: int) -> Call:
    return _compile(ProductAnn(_ann(subject)).eval())


def _compiled_half(subject: Subject, _threads: int) -> Call:
    return _compile(ProductAnn(_ann(subject), torch.bfloat16).eval())


def _compile(module: nn.Module) -> Call:
    if not (shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")):
        raise CannotError("torch.compile needs a C++ compiler, and there is none")
    import torch._inductor.config

    # In this process: inductor would fork helpers, which stay, from one that has threads.
    torch._inductor.config.compile_threads = 1
    # Modules of one class count against one limit, beyond which nothing is compiled any more.
    torch._dynamo.reset()
    return _without_autograd(InPieces(torch.compile(module)))  # type: ignore[arg-type]


def _engine(subject: Subject, threads: int) -> Call:
    from lava_runtime.engine.engine import Engine

    if not subject.run.net.is_file():
        raise CannotError("the run is not exported: it has no model.net")
    engine = Engine.from_file(subject.run.net, threads=threads)
    return lambda spikes: engine.run(spikes).output.sum(axis=-1, dtype=np.int64)


def _on_cuda(subject: Subject) -> nn.Module:
    return copy.deepcopy(subject.network).cuda().eval()


def _eager_cuda(subject: Subject, _threads: int) -> Call:
    network: Any = _on_cuda(subject)
    scores: Call = network.scores
    return scores


def _inference_cuda(subject: Subject, _threads: int) -> Call:
    return _without_autograd(_eager_cuda(subject, 1))


def _half_cuda(subject: Subject, _threads: int) -> Call:
    return _without_autograd(_on_cuda(subject).half())


def _graph(subject: Subject, _threads: int) -> Call:
    return _without_autograd(Graph(_on_cuda(subject)))


def _half_graph(subject: Subject, _threads: int) -> Call:
    return _without_autograd(Graph(_on_cuda(subject).half()))


def _product_graph(subject: Subject, _threads: int) -> Call:
    return _without_autograd(Graph(ProductAnn(_ann(subject), torch.float16).cuda().eval()))
