"""Write BENCHMARKS.md and its figures from the JSON alone: ``python tests/benchmarks/page.py``.

Every value on the page is the JSON's; goals stand beside what was measured, with whether it was reached.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from figures import draw
from sections import Entry, Result, engine, goals, growth, operations, peers, table, training
from sections_features import features, features_goals

HERE = Path(__file__).resolve().parent

SECTIONS: tuple[tuple[str, tuple[str, ...], tuple[str, ...], Callable[[Result], Iterator[str]]], ...] = (
    ("The engine against Lava", ("engine",), ("engine",), engine),
    ("Synaptic operations, and the machine's limit", ("operations",), ("operations",), operations),
    ("Growth", ("growth",), ("growth", "activity", "memory"), growth),
    ("A training step", ("training_step",), ("training",), training),
    ("One LIF population in other libraries", ("peers",), ("peers",), peers),
    ("The feature store", ("features",), ("features",), features),
)


def write(data: Entry, drawn: dict[str, str]) -> str:
    """The page; ``drawn`` says where each figure lies, by name."""
    result, machine = Result(data), data["machine_info"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    # Parts may be measured at different times, of different commits.
    loads = ", ".join(
        f"{part} {entry['load'][0]:g} ({entry['commit'][:10]}{' and changes' if entry.get('dirty') else ''})"
        for part, entry in data["parts"].items()
        if "load" in entry
    )
    text = [
        "# Benchmarks",
        "Written by `tests/benchmarks/page.py` from `tests/benchmarks/results/bench.json`, which `make bench` "
        "measures; change neither by hand. Values are medians, in brackets quartiles unless it says otherwise.",
        f"Measured {data['datetime'][:10]} by `make bench` on {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gib']:g} GiB of memory, {machine['threads']} threads, {machine['system']}; "
        f"{versions}. Load average as each part began, and its commit: {loads}.",
        "## Goals",
        table(["what", "goal", "measured", ""], [*goals(result), *features_goals(result)]),
    ]
    for title, parts, pictures, section in SECTIONS:
        text.append(f"## {title}")
        wrong = [result.failure(part) for part in parts if result.failure(part)]
        text += [f"Incomplete: {reason}." for reason in wrong]
        body = list(section(result))
        has = result.training() if section is training else [e for s in pictures + parts for e in result.of(s)]
        text += body if has else []
        text += [f"![{title}: {name}]({drawn[name]})" for name in pictures if name in drawn]
    return "\n\n".join(text) + "\n"


def main() -> int:
    """Write, or with ``--check`` compare: 1 if page or figures are not what the JSON gives."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, default=HERE / "results" / "bench.json")
    parser.add_argument("--page", type=Path, default=HERE.parents[1] / "BENCHMARKS.md")
    parser.add_argument("--figures", type=Path, help="folder; beside the JSON by default")
    parser.add_argument("--check", action="store_true", help="write nothing, say whether all is as it would be")
    given = parser.parse_args()
    folder = (given.figures or given.json.parent).resolve()
    data = json.loads(given.json.read_text())
    files = {folder / f"{name}.svg": text for name, text in draw(data).items()}
    links = {path.stem: os.path.relpath(path, given.page.resolve().parent) for path in files}
    files[given.page.resolve()] = write(data, links)
    if given.check:
        wrong = [p.name for p, text in files.items() if not p.is_file() or p.read_text() != text]
        print("\n".join(f"{name} is not what the JSON gives" for name in wrong), end="\n" if wrong else "")
        return 1 if wrong else 0
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
