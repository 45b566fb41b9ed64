"""The page's section about the feature store."""

from collections.abc import Iterator

from sections import Result, number, table, verdict, with_spread


def features_goals(result: Result) -> Iterator[list[str]]:
    """What was to be shown, what is, and whether that is enough."""
    for entry in result.of("features"):
        words = f"features of {entry['hours']:g} hours of sound, times real time"
        yield [words, number(entry["goal"]), number(entry["speed"]), verdict(entry["speed"], entry["goal"])]
        words = "their memory in all processes, GB"
        low = entry["peak_bytes"] <= entry["memory_goal"]
        goal = f"{number(entry['memory_goal'] / 1e9)} or less"
        yield [words, goal, number(entry["peak_bytes"] / 1e9), "reached" if low else "**missed**"]


def features(result: Result) -> Iterator[str]:
    """Recordings into the store, and clips out of it."""
    for entry in result.of("features"):
        yield (
            f"{entry['recordings']} WAV files of noise, {entry['rate_hz']} Hz, 16 bit, {entry['channels']} channels, "
            f"the longest of {entry['longest_s'] / 60:g} minutes, {entry['hours']:g} hours together, through the "
            f"default features into the store by {entry['processes']} processes, all checks included. Memory is "
            "resident memory of all processes together at its highest, pages that they share counted in each, and once."
        )
        rows = [
            [
                f"{entry['hours']:g} h",
                number(entry["made_s"]),
                number(entry["speed"] / 60),
                number(entry["peak_bytes"] / 2**20),
                number(entry["peak_shared_once_bytes"] / 2**20),
                number(entry["stored_bytes"] / 1e6),
                number(entry["opened_s"]),
                with_spread(entry["batch_s"], 1000),
            ]
        ]
        heads = ["sound", "time, s", "hours a minute", "peak, MiB", "peak, shared once, MiB", "stored, MB"]
        yield table([*heads, "opened and checked, s", f"{entry['batch']} clips read, ms"], rows)
