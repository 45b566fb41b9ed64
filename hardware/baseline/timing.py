"""A variant made ready, checked, timed and metered at one batch size."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hardware.baseline.counter import CounterError
from hardware.baseline.device import Device
from hardware.baseline.meter import Meter
from hardware.baseline.protocol import Protocol
from hardware.baseline.subject import Subject, batches_of
from hardware.baseline.trials import drift_of, median_of
from hardware.baseline.variants import Call, CannotError, Spikes, Variant
from hardware.baseline.waiting import Waited, waited_share
from hardware.doctor.finding import quoted
from hardware.measurement import Quantity, quantity_of, unavailable
from train.metrics import decide

# Two classes are as good as equal where their scores lie closer than this share of the largest: half a step of
# bfloat16, which keeps 8 bits, at several layers.
_TIE = 2.0**-6


@dataclass(frozen=True)
class Ready:
    """A variant that runs and decides as the plainest does.

    Parameters
    ----------
    call
        Of one batch.
    give
        A batch of spikes as ``call`` takes it.
    threads
        Cores it uses.
    """

    call: Call
    give: Callable[[Spikes], Any]
    threads: int


@contextmanager
def threads_of(number: int) -> Iterator[None]:
    """Let torch use so many cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def reference_scores(subject: Subject, spikes: Spikes) -> NDArray[Any]:
    """Scores of the network as it is, in torch on the processor."""
    with torch.inference_mode():
        found: NDArray[Any] = subject.network.scores(torch.from_numpy(spikes).float()).numpy()
        return found


def make_ready(
    subject: Subject, variant: Variant, device: Device, spikes: Spikes, expected: NDArray[Any]
) -> Ready | str:
    """Build a variant and check its decisions on some clips, or say why it cannot be had.

    The first clip goes alone and the others in batches of 16: compilers make code for one sample and for more.
    """
    threads = min(variant.threads or device.threads, device.threads)
    try:
        call = variant.build(subject, threads)
        pieces = [spikes[:1], *(spikes[first : first + 16] for first in range(1, len(spikes), 16))]
        # A graph's result lies in its own memory until the next call, and is fetched before that.
        found = np.concatenate([_fetched(call(variant.give(piece))) for piece in pieces])
        device.sync()
    except CannotError as error:
        return str(error)
    except Exception as error:
        # Compilers and devices fail in ways of their own, and the other variants are to go on.
        words = " ".join(str(error).split())[:160]
        return f"cannot be run: {type(error).__name__}{f': {words}' if words else ''}"
    finally:
        # Code compiled for speed makes its whole process round the smallest numbers to 0 when it is loaded.
        torch.set_flush_denormal(False)
    differing = _differing(found, expected, subject)
    if differing:
        return f"decides otherwise than the network as written on {differing} of {len(spikes)} clips"
    return Ready(call, variant.give, threads)


def _fetched(scores: Any) -> NDArray[Any]:
    return scores.detach().float().cpu().numpy() if isinstance(scores, torch.Tensor) else np.asarray(scores)


def _differing(found: NDArray[Any], expected: NDArray[Any], subject: Subject) -> int:
    """Clips on which a head decides otherwise, scores that tie within the precision aside."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return len(expected)
    rows = np.arange(len(expected))
    wrong = np.zeros(len(expected), bool)
    ours, theirs = decide(found, subject.heads), decide(expected, subject.heads)
    scale = _TIE * np.abs(expected).max(axis=1)
    for head, (start, _) in subject.heads.items():
        margin = expected[rows, start + theirs[head]] - expected[rows, start + ours[head]]
        wrong |= margin > (scale if subject.key == "ann" else 0)
    return int(wrong.sum())


def time_cell(
    ready: Ready,
    spikes: Spikes,
    batch: int,
    device: Device,
    protocol: Protocol,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Latency and throughput at one batch size; or why not, as ``unavailable``.

    On a machine that others use it is timed again, and what waited least for a core is given.
    """
    try:
        cells = [_time_once(ready, spikes, batch, device, protocol, clock)]
        while len(cells) <= protocol.busy_again and waited_of(cells[-1]) > protocol.busy_share:
            cells.append(_time_once(ready, spikes, batch, device, protocol, clock))
    except (MemoryError, RuntimeError) as error:
        return _out_of_memory(error, device)
    cell = min(cells, key=waited_of)
    share = waited_of(cell)
    if share > protocol.busy_share:
        for key in ("latency", "per_inference", "throughput"):
            words = f"{cell[key]['method']}; on a busy machine: waited {100 * share:.0f} % of the time for a core"
            cell[key] = {**cell[key], "method": words}
    return cell


def waited_of(cell: Mapping[str, Any]) -> float:
    """Share of the time that a cell waited for a core; 0 where that is not known."""
    waited = quantity_of(cell["waited"]) if "waited" in cell else ""
    return waited.value if isinstance(waited, Quantity) else 0.0


def _out_of_memory(error: MemoryError | RuntimeError, device: Device) -> dict[str, str]:
    """The reason that stands for a cell; anything but a lack of memory is raised again."""
    text = str(error)
    # torch's words for a GPU's memory, and for the processor's (c10's allocator).
    known = ("out of memory", "not enough memory", "can't allocate memory")
    if not isinstance(error, MemoryError) and not any(words in text for words in known):
        raise error
    if device.key == "cuda":
        torch.cuda.empty_cache()
    return unavailable(f"memory ran out: {quoted(' '.join(text.split())[:120]) or type(error).__name__}")


def _time_once(
    ready: Ready, spikes: Spikes, batch: int, device: Device, protocol: Protocol, clock: Callable[[], float]
) -> dict[str, Any]:
    run = _running(ready, spikes, batch, device)
    window_s, warm_s = protocol.timing(device.key)
    with threads_of(ready.threads):
        begun = clock()
        call_s = _once(run, device, clock)
        if call_s > protocol.longest_call_s:
            # The first call may compile or record.
            call_s = _once(run, device, clock)
        if call_s > protocol.longest_call_s:
            return unavailable(f"a batch takes {call_s:.1f} s, more than the {protocol.longest_call_s:g} s it is given")
        # Others' share is of everything from here on.
        waited, since = Waited.now(), clock()
        while clock() - begun < warm_s:
            _once(run, device, clock)
        calls: list[float] = []
        rates: list[float] = []
        for _ in range(protocol.trials):
            calls.append(_mean_call(run, device, window_s, clock))
            # On the processor a call is done when it returns, and one figure is both.
            rates.append(calls[-1] if device.key == "cpu" else _mean_in_row(run, device, window_s, calls[-1], clock))
    latency, inference = median_of(calls), median_of([seconds / batch for seconds in rates])
    of_batch = latency.quantity("s", "calls of one batch")
    of_one = inference.quantity("s", "time of a call over its batch")
    return {**timed(of_batch, of_one, calls), "waited": waited_share(waited, clock() - since)}


def timed(latency: Quantity, inference: Quantity, calls: Sequence[float]) -> dict[str, Any]:
    """Plain data of what was timed."""
    rate = Quantity(
        1 / inference.value, "1/s", "measured", f"1 over {inference.method}", 1 / inference.high, 1 / inference.low
    )
    numbers = {"latency": latency, "per_inference": inference, "throughput": rate}
    return {**{name: number.as_dict() for name, number in numbers.items()}, "drift": drift_of(calls)}


def meter_cell(
    ready: Ready, spikes: Spikes, batch: int, device: Device, protocol: Protocol, make_meter: Callable[[], Meter]
) -> dict[str, Any]:
    """Power and total energy of an inference at one batch size, or ``unavailable``."""
    try:
        return _meter_once(ready, spikes, batch, device, protocol, make_meter)
    except (MemoryError, RuntimeError) as error:
        return _out_of_memory(error, device)


def _meter_once(
    ready: Ready, spikes: Spikes, batch: int, device: Device, protocol: Protocol, make_meter: Callable[[], Meter]
) -> dict[str, Any]:
    run = _running(ready, spikes, batch, device)
    with threads_of(ready.threads):
        _once(run, device, time.perf_counter)
        call_s = _once(run, device, time.perf_counter)
        in_burst = max(1, int(protocol.burst_s / call_s))

        def burst() -> None:
            for _ in range(in_burst):
                run()
            device.sync()

        try:
            meter, stretches = make_meter(), []
            for trial in range(protocol.trials):
                warm_s = 0.0 if trial else protocol.energy_warm_s
                stretches.append(meter.work(burst, protocol.energy_window_s, warm_s))
        except CounterError as error:
            return unavailable(str(error))
    inferences = in_burst * batch
    power = median_of([each.power_w for each in stretches], [each.half_w for each in stretches])
    energy = median_of(
        [each.call_j / inferences for each in stretches], [each.half_j / inferences for each in stretches]
    )
    seconds = median_of([each.call_s / inferences for each in stretches])
    return {
        "power": power.quantity("W", "energy over time").as_dict(),
        "energy_total": energy.quantity("J", "energy over inferences").as_dict(),
        "seconds": seconds.quantity("s", "time over inferences, while metered").as_dict(),
        "drift": drift_of([each.power_w for each in stretches]),
    }


def _running(ready: Ready, spikes: Spikes, batch: int, device: Device) -> Callable[[], object]:
    """A function that runs the next batch of clips."""
    inputs = itertools.cycle([ready.give(each) for each in batches_of(spikes, batch)])
    device.sync()
    return lambda: ready.call(next(inputs))


def _once(run: Callable[[], object], device: Device, clock: Callable[[], float]) -> float:
    begun = clock()
    run()
    device.sync()
    return clock() - begun


def _mean_call(run: Callable[[], object], device: Device, at_least_s: float, clock: Callable[[], float]) -> float:
    """Mean time of calls that are each waited for."""
    begun = now = clock()
    calls = 0
    while calls == 0 or now - begun < at_least_s:
        run()
        device.sync()
        calls += 1
        now = clock()
    return (now - begun) / calls


def _mean_in_row(
    run: Callable[[], object], device: Device, window_s: float, call_s: float, clock: Callable[[], float]
) -> float:
    """Mean time of calls that follow each other without being waited for."""
    calls = max(1, round(window_s / call_s))
    begun = clock()
    for _ in range(calls):
        run()
    device.sync()
    return (clock() - begun) / calls
