"""The ANN written anew for speed: the same sums, in an order that processors like better.

``AnnNetwork`` is what one writes with torch's own layers. Its convolutions run along the features alone, with time as
the other axis, which the libraries behind torch have no fast path for; its poolings take as long as its convolutions.
Every time step is on its own until the heads, so that steps can be samples and each layer one product of matrices.
"""

import torch
from torch import nn
from torch.nn import functional

from train.topology import AnnNetwork


class ProductAnn(nn.Module):
    """An :class:`AnnNetwork` as products of matrices over all samples and steps, channels innermost.

    Parameters
    ----------
    network
        Whose weights to take.
    dtype
        Of weights and layers.

    Notes
    -----
    A convolution of k taps is one product, of k shifted copies side by side. A pooling adds, and the division by its
    width is in the next layer's weights. The heads' mean over time stays in float32.
    """

    def __init__(self, network: AnnNetwork, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.plan, self.dtype = network.plan, dtype
        self.products = nn.ModuleList()
        weights = iter(network.weights)
        share, flat = 1.0, (1, 1)
        for layer in self.plan:
            if layer.kind == "pool":
                share /= layer.kernel
            elif layer.kind == "flatten":
                flat = (layer.channels_in, layer.height_in)
            else:
                weight = next(weights).detach() * share
                if layer.kind == "conv":
                    matrix = weight.squeeze(3).transpose(1, 2).flatten(1)
                else:
                    # Columns came channel by channel; here height by height.
                    matrix = weight.view(len(weight), *flat).transpose(1, 2).flatten(1)
                    flat = (layer.channels_out, 1)
                product = nn.Linear(matrix.shape[1], matrix.shape[0], bias=False)
                product.weight.data = matrix.contiguous().to(dtype)
                self.products.append(product.requires_grad_(False))
                share = 1.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (sample, neuron) for an input (sample, channel, feature, 1, time)."""
        samples, channels, height, _, steps = x.shape
        x = x.squeeze(3).permute(0, 3, 2, 1).reshape(samples * steps, height, channels).to(self.dtype)
        products = iter(self.products)
        for layer in self.plan:
            if layer.kind == "conv":
                half, height = layer.kernel // 2, layer.height_in
                x = functional.pad(x, (0, 0, half, half))
                x = torch.cat([x[:, tap : tap + height] for tap in range(layer.kernel)], dim=2)
                x = functional.relu(next(products)(x))
            elif layer.kind == "pool":
                x = functional.pad(x, (0, 0, 0, -layer.height_in % layer.kernel))
                x = x.view(len(x), layer.height_out, layer.kernel, layer.channels_in)
                x = sum((x[:, :, tap] for tap in range(1, layer.kernel)), start=x[:, :, 0])
            elif layer.kind == "flatten":
                x = x.flatten(1)
            elif layer.name == "heads":
                x = x.view(samples, steps, -1).mean(dim=1, dtype=torch.float32).to(self.dtype)
                x = next(products)(x)
            else:
                x = functional.relu(next(products)(x))
        return x.float()


class InPieces(nn.Module):
    """Runs large batches in pieces, whose layers stay in a core's cache.

    Parameters
    ----------
    inner
        What runs a piece.
    size
        Samples of a piece.
    """

    def __init__(self, inner: nn.Module, size: int = 16) -> None:
        super().__init__()
        self.inner, self.size = inner, size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As the inner module's."""
        if len(x) <= self.size:
            whole: torch.Tensor = self.inner(x)
            return whole
        return torch.cat([self.inner(piece) for piece in x.split(self.size)])  # type: ignore[no-untyped-call]


class Graph:
    """A module's CUDA work, recorded once for every shape and replayed: no launches from Python.

    Notes
    -----
    Recording works on fixed memory: an input is copied into it, and the result lies in it until the next call. Three
    calls on a side stream come first, as PyTorch's notes on CUDA graphs ask for.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._recorded: dict[tuple[int, ...], tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]] = {}

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        shape = tuple(x.shape)
        if shape not in self._recorded:
            self._recorded[shape] = self._record(x)
        graph, given, found = self._recorded[shape]
        given.copy_(x)
        graph.replay()  # type: ignore[no-untyped-call]
        return found

    def _record(self, x: torch.Tensor) -> tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]:
        given = x.clone()
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())  # type: ignore[no-untyped-call]
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.module(given)
        torch.cuda.current_stream().wait_stream(stream)  # type: ignore[no-untyped-call]
        graph = torch.cuda.CUDAGraph()  # type: ignore[no-untyped-call]
        with torch.cuda.graph(graph):
            found = self.module(given)
        return graph, given, found
