"""What would take fewer cores: each way is worked out by placing the changed layer."""

from collections.abc import Callable
from dataclasses import replace

from hardware.placement.demand import ConvDemand, Demand, DenseDemand, is_separate
from hardware.placement.part import Part
from train.errors import MaestroError


def help_for(demand: Demand, part: Part, cores_of: Callable[[Demand], int]) -> tuple[str, ...]:
    """Ways to fewer cores for a layer, each with the cores it would take; none for a layer on one core."""
    now = part.cores.most
    if now == 1:
        return ()
    ways = []
    for text, changed in _ways(demand):
        try:
            after = cores_of(changed)
        except MaestroError:
            continue
        if after < now:
            ways.append(f"{text}: {after} {'core' if after == 1 else 'cores'} instead of {now}")
    if isinstance(demand, DenseDemand) and demand.neurons > 1:
        # Side by side: NetX's files know of no such layers, Lava's processes do.
        halves = (demand.neurons // 2, -(-demand.neurons // 2))
        after = sum(cores_of(replace(demand, neurons=half)) for half in halves)
        if after < now:
            ways.append(f"two processes of {halves[0]} and {halves[1]} of its neurons: {after} cores instead of {now}")
    if isinstance(demand, DenseDemand) and is_separate(demand) and part.cores.low < now:
        # Zero weights of a Dense process are stored as others are.
        ways.append(f"NetX's sparse_fc_layer=True, which keeps no zero weights: {part.cores.low} to {now} cores")
    return tuple(ways)


def _ways(demand: Demand) -> list[tuple[str, Demand]]:
    ways: list[tuple[str, Demand]] = []
    if isinstance(demand, DenseDemand | ConvDemand):
        for bits in (demand.bits - 2, demand.bits // 2):
            if bits >= 1:
                ways.append((f"weights of {bits} bits, not {demand.bits}", replace(demand, bits=bits)))
    if isinstance(demand, DenseDemand):
        half = demand.axons // 2
        ways.append((f"half of its inputs pruned, {half} left", replace(demand, axons=half)))
        ways.append((f"half as many neurons, {demand.neurons // 2}", replace(demand, neurons=demand.neurons // 2)))
    elif isinstance(demand, ConvDemand):
        smaller = (max(1, demand.kernel[0] - 2), max(1, demand.kernel[1] - 2))
        if smaller != demand.kernel:
            ways.append((f"a kernel of {smaller[0]} x {smaller[1]}", replace(demand, kernel=smaller)))
        channels, height, width = demand.shape
        halves = (-(-channels // 2), height, width)
        ways.append((f"half as many channels, {halves[0]}", replace(demand, shape=halves)))
        ways.append(("twice the stride", replace(demand, shape=(channels, -(-height // 2), -(-width // 2)))))
    # Two ways of fewer bits may be one.
    return list(dict(ways).items())
