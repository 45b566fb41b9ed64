"""The page's sections: what the JSON says, as sentences and tables."""

from collections.abc import Iterator
from typing import Any

Entry = dict[str, Any]


class Result:
    """The JSON, asked for by section."""

    def __init__(self, data: Entry) -> None:
        self.data = data

    def of(self, section: str) -> list[Entry]:
        """What the benchmarks of a section told, in order; empty if none ran."""
        told = [entry["extra_info"] for entry in self.data["benchmarks"]]
        return [entry for entry in told if entry.get("section") == section]

    def training(self) -> list[tuple[str, Entry]]:
        """Neuron and figures of the training steps, which have no section of their own."""
        found = [entry for entry in self.data["benchmarks"] if entry["part"] == "training_step"]
        return [(_neuron(entry), entry["extra_info"]) for entry in found if "ratio" in entry["extra_info"]]

    def failure(self, part: str) -> str:
        """Why a part is missing or incomplete."""
        if part not in self.data["parts"]:
            return "it was not run"
        return str(self.data["parts"][part]["failure"])


def _neuron(entry: Entry) -> str:
    params = entry.get("params") or {}
    return str(params.get("neuron") or entry["extra_info"].get("neuron") or entry["name"])


def number(value: float, digits: int = 3) -> str:
    """With so many digits that count, thousands apart; no exponent from a thousandth to a million."""
    if value == 0:
        return "0"
    size = abs(value)
    if 1e-3 <= size < 1e7:
        places = max(0, digits - 1 - _magnitude(size))
        rounded = round(value, places) if places else float(f"{value:.{digits}g}")
        return f"{rounded:,.{places}f}".replace(",", " ")
    return f"{value:.{digits - 1}e}"


def _magnitude(size: float) -> int:
    return int(f"{size:e}".partition("e")[2])


def with_spread(entry: Entry, scale: float = 1.0, digits: int = 3) -> str:
    """Median and quartiles."""
    low, middle, high = (number(scale * entry[key], digits) for key in ("low", "median", "high"))
    return f"{middle} ({low} to {high})"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown, columns of numbers to the right."""
    columns = [[row[at] for row in rows if row[at]] for at in range(len(heads))]
    numbers = [bool(cells) and sum(cell[0].isdigit() for cell in cells) > len(cells) / 2 for cells in columns]
    rules = ["---:" if right and at else "---" for at, right in enumerate(numbers)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, rules, *rows))


def verdict(value: float, goal: float) -> str:
    """In words."""
    return "reached" if value >= goal else "**missed**"


def goals(result: Result) -> Iterator[list[str]]:
    """What was to be shown, what is, and whether that is enough."""
    for entry in result.of("engine"):
        stock = entry["ratios"]["stock"]
        for key, words in (
            ("throughput", "clips a second, times stock Lava's"),
            ("latency", "one clip, times shorter"),
        ):
            value, goal = stock[key], entry["goals"][key]
            yield [f"{words}: {entry['preset']}", f"{number(goal)}", f"{number(value)}", verdict(value, goal)]
    for entry in result.of("operations"):
        for name, found in entry["networks"].items():
            if found["kind"] == "layer":
                shown = f"synaptic operations a second at {100 * entry['activity']:g} % activity: {name}"
                value = found["syn_ops_per_s"]
                yield [shown, number(entry["goal"]), number(value), verdict(value, entry["goal"])]
    for entry in result.of("growth"):
        for axis, found in entry["series"].items():
            good = found["exponent"] <= 1.1
            value = f"{found['exponent']:.2f} ({found['low']:.2f} to {found['high']:.2f})"
            yield [f"exponent of time over {axis}", "1.1 or less", value, "reached" if good else "**missed**"]
        line = entry["events_line"]
        yield [
            "time over spikes a straight line, r²",
            "0.98",
            f"{line['r_squared']:.4f}",
            verdict(line["r_squared"], 0.98),
        ]
    for entry in result.of("memory"):
        points = sorted(entry["points"], key=lambda point: point["samples"])
        ratio = points[-1]["peak_bytes"] / points[0]["peak_bytes"]
        words = f"memory of {points[-1]['samples']} samples, times that of {points[0]['samples']}"
        yield [words, "1.1 or less", f"{ratio:.2f}", "reached" if ratio <= 1.1 else "**missed**"]
    for neuron, entry in result.training():
        words = f"training step, times faster than stock SLAYER: {neuron}"
        yield [words, number(entry["goal"]), number(entry["ratio"]), verdict(entry["ratio"], entry["goal"])]
    for entry in result.of("peers"):
        words = "one LIF population forward and backward, times faster than the fastest peer"
        if entry["ratio"] is None:
            yield [words, number(entry["goal"]), "unavailable", "not known"]
        else:
            yield [words, number(entry["goal"]), number(entry["ratio"]), verdict(entry["ratio"], entry["goal"])]


def engine(result: Result) -> Iterator[str]:
    """The engine against Lava."""
    yield (
        "The same file and the same clips in one run; every layer's spikes of the clips that Lava ran are equal, or "
        "there would be no figures here. Lava's clips per second are its best of one by one and in one go, through a "
        "network that is started and reset, not started anew. *Stock* is Lava as it comes, *quickened* has this "
        "project's convolution and channels."
    )
    rows = []
    for entry in result.of("engine"):
        clip = entry["one_clip_s"]
        rows.append([f"{entry['preset']}: engine", number(entry["clips_per_s"]), with_spread(clip, 1000), "", "", ""])
        for kind, lava in entry["lava"].items():
            ratio = entry["ratios"][kind]
            rows.append(
                [
                    f"{entry['preset']}: Lava, {kind}, {lava['clips'] - 1} clips",
                    number(lava["clips_per_s"]),
                    with_spread(lava["clip_s"], 1000),
                    number(lava["start_and_first_clip_s"]),
                    number(ratio["throughput"]),
                    f"{number(ratio['latency'])} ({number(ratio['latency_with_start'])})",
                ]
            )
    heads = ["", "clips/s", "one clip, ms", "start and first clip, s"]
    yield table([*heads, "engine's throughput, times", "engine's latency, times shorter (with Lava's start)"], rows)
    for entry in result.of("engine"):
        rates = ", ".join(f"{name} {100 * rate:.1f}" for name, rate in entry["rates"].items())
        yield (
            f"{entry['preset']}: {entry['clips']} clips of {entry['steps']} steps in one call on {entry['threads']} "
            f"threads, {with_spread(entry['batch_s'])} s; weights: {entry['origin']['weights']}; clips: "
            f"{entry['origin']['clips']}; spikes a neuron and hundred steps: input {100 * entry['input_rate']:.1f}, "
            f"{rates}."
        )


def operations(result: Result) -> Iterator[str]:
    """Synaptic operations and limits."""
    for entry in result.of("operations"):
        yield (
            "A synaptic operation is a non-zero weight that a spike meets. Layers get input at "
            f"{100 * entry['activity']:g} % activity; networks get the clips of the first section. "
            f"{entry['threads']} threads."
        )
        rows = [
            [
                name,
                number(found["syn_ops_per_s"]),
                with_spread(found["seconds"], 1000),
                f"{100 * found['input_rate']:.1f}",
                ", ".join(sorted(set(found["paths"].values()))),
                f"{100 * found['fraction_of_additions']:.1f}",
            ]
            for name, found in entry["networks"].items()
        ]
        yield table(["", "syn. ops/s", "time, ms", "input activity, %", "way", "% of measured additions"], rows)
        words = {
            "copy_bytes_per_s": "bytes copied a second (read and written)",
            "int32_additions_per_s": "additions a second, 32 bit, in the first-level cache",
            "int16_additions_per_s": "additions a second, 16 bit, in the first-level cache",
            "neuron_updates_per_s": "neurons stepped a second (current and voltage), in the first-level cache",
        }
        rows = [
            [words[name], *(with_spread(by[threads]) for threads in ("1", "2"))] for name, by in entry["limits"].items()
        ]
        yield "What this machine can do, measured in the same run:"
        yield table(["limit", "1 thread", "2 threads"], rows)
        yield (
            "For the networks, the least time those limits allow: spikes moved (a byte each, written once and read "
            "once), additions, and states stepped. Additions and steps are done by the same cores one after the other, "
            "so the limit is the larger of the copy and their sum."
        )
        rows = []
        for name, found in entry["networks"].items():
            if "least_s" in found:
                least = [number(1000 * found["least_s"][key]) for key in ("copy", "additions", "updates")]
                shown = [name, number(found["bytes_moved"]), number(found["syn_ops"]), number(found["state_updates"])]
                rows.append([*shown, *least, with_spread(found["seconds"], 1000), f"{100 * found['fraction']:.1f}"])
        heads = ["", "bytes", "syn. ops", "state updates", "copy, ms", "additions, ms", "updates, ms"]
        yield table([*heads, "measured, ms", "limit reached, %"], rows)


def growth(result: Result) -> Iterator[str]:
    """Time over sizes."""
    for entry in result.of("growth"):
        base = ", ".join(f"{value:g} {name}" for name, value in entry["base"].items())
        yield (
            f"One dense layer of {entry['inputs']} inputs; what does not vary: {base} (activity: spikes an input and "
            f"step). {entry['threads']} threads. Exponents are slopes of logarithms, with 95 % intervals."
        )
        rows = []
        for axis, found in entry["series"].items():
            first, last = found["points"][0], found["points"][-1]
            interval = f"{found['exponent']:.2f} ({found['low']:.2f} to {found['high']:.2f})"
            ends = [f"{p['value']}: {number(1000 * p['seconds']['median'])} ms" for p in (first, last)]
            rows.append([axis, interval, *ends])
        yield table(["time over", "exponent", "fewest", "most"], rows)
        rows = [
            [f"{100 * at['value']:g}", *(with_spread(p["seconds"], 1000) for p in (at, other, auto)), auto["path"]]
            for at, other, auto in zip(*(entry["activity"][path] for path in ("events", "dense", "auto")), strict=True)
        ]
        yield table(["activity, %", "events, ms", "dense products, ms", "by itself, ms", "what it chose"], rows)
        line = entry["events_line"]
        yield (
            f"By events: {number(1000 * line['s_without_spikes'])} ms without any spike and "
            f"{number(1e9 * line['s_per_syn_op'])} ns a synaptic operation, a straight line with "
            f"r² = {line['r_squared']:.4f}."
        )
    for entry in result.of("memory"):
        yield (
            f"Memory: `Engine.blocks` on {entry['preset']}, allowed {number(entry['allowed_bytes'] / 2**20)} MiB, the "
            "input mapped from a file; anonymous memory of a process of its own, libraries included."
        )
        rows = [
            [
                str(p["samples"]),
                number(p["peak_bytes"] / 2**20),
                number(p["before_bytes"] / 2**20),
                number(p["seconds"]),
            ]
            for p in entry["points"]
        ]
        yield table(["samples", "peak, MiB", "held before, MiB", "time, s"], rows)


def training(result: Result) -> Iterator[str]:
    """Training steps."""
    rows = []
    for neuron, entry in result.training():
        peaks = [entry.get(f"peak_bytes_{who}") for who in ("stock", "ours")]
        rows.append(
            [
                neuron,
                *(number(1000 * entry[key]) for key in ("stock_s", "ours_s")),
                f"{number(entry['ratio'])} ({number(min(entry['ratios']))} to {number(max(entry['ratios']))})",
                *("not measured" if peak is None else number(peak / 2**20) for peak in peaks),
            ]
        )
    yield (
        "The same network, batch and losses on stock SLAYER's calls and on this project's kernels, steps alternating; "
        "medians, and the range of the ratios of neighbouring steps. Memory is the peak of one step over what is held "
        "before it."
    )
    heads = ["neuron", "stock SLAYER, ms", "ours, ms", "times faster (range)"]
    yield table([*heads, "peak memory, stock, MiB", "peak memory, ours, MiB"], rows)


def peers(result: Result) -> Iterator[str]:
    """One population in every library."""
    for entry in result.of("peers"):
        yield (
            f"{entry['neurons']} neurons x {entry['steps']} steps x batch {entry['batch']}, forward and backward with "
            f"a surrogate gradient, {entry['threads']} threads, every form in a process of its own and one round each "
            "in turn. The input is scaled until each fires on 5 % of the steps. Peers have an environment of their own "
            "(tests/benchmarks/peers/requirements.lock) with the same torch. *states* a neuron: 2 is current and "
            "voltage, as ours; 1 is less work. *compiled*: what went through torch.compile."
        )
        ours = entry["forms"]["ours"]["median_s"]
        rows = []
        for found in entry["forms"].values():
            shown = [f"{found['library']} {found.get('version', '')}".strip(), found["form"], str(found["states"])]
            shown.append(found["compiled"] or "")
            if "median_s" not in found:
                rows.append([*shown, f"unavailable: {found['error']}", "", "", ""])
                continue
            totals = [1000 * (r["forward_s"] + r["backward_s"]) for r in found["rounds"]]
            parts = [number(1000 * _middle([r[key] for r in found["rounds"]])) for key in ("forward_s", "backward_s")]
            both = f"{number(1000 * found['median_s'])} ({number(min(totals))} to {number(max(totals))})"
            rows.append([*shown, both, *parts, number(found["median_s"] / ours)])
        heads = ["library", "form", "states", "compiled", "both, ms (range)", "forward, ms", "backward, ms"]
        yield table([*heads, "times ours"], rows)
        if entry["fastest"]:
            fastest = entry["forms"][entry["fastest"]]
            words = f"{fastest['library']}, {fastest['form']}" + (", compiled" if fastest["compiled"] else "")
            yield f"The fastest peer is {words}."


def _middle(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
