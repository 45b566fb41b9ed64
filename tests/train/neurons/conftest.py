"""Stock SLAYER's numbers for what the kernels compute."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from train.neurons import slayer


@pytest.fixture(scope="session")
def stock_chain() -> Callable[..., torch.Tensor]:
    """SLAYER's chain current -> voltage -> spike on its own CPU path, from whole-number decays."""

    def chain(x: torch.Tensor, du: torch.Tensor, dv: torch.Tensor, limit: float, tau: float, rho: float) -> Any:
        rest = torch.zeros(x.shape[:-1])
        current = slayer.leaky_integrator.dynamics(x, du, rest, 4096)
        return spike_of(current, dv, limit, tau, rho)

    def spike_of(current: torch.Tensor, dv: torch.Tensor, limit: float, tau: float, rho: float) -> Any:
        """From the current on: voltage -> spike."""
        rest = torch.zeros(current.shape[:-1])
        voltage = slayer.leaky_integrator.dynamics(current, dv, rest, 4096, limit)
        return stock_spike(voltage, limit, tau, rho)

    def stock_spike(voltage: torch.Tensor, limit: float, tau: float, rho: float) -> torch.Tensor:
        from lava.lib.dl.slayer.spike.spike import Spike

        spikes: torch.Tensor = Spike.apply(voltage, limit, tau, rho, False, torch.zeros(1), 1)
        return spikes

    chain.spike_of = spike_of  # type: ignore[attr-defined]
    return chain
