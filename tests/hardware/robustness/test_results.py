"""The README's table of robustness against the measurements that it is of."""

import json
import re

import pytest

CONDITIONS = {
    "clean": None,
    "white noise, 20 dB": ("noise", "white", 20),
    "white noise, 10 dB": ("noise", "white", 10),
    "pink noise, 10 dB": ("noise", "pink", 10),
    "babble, 10 dB": ("noise", "babble", 10),
    "hum, 10 dB": ("noise", "hum", 10),
    "level, -10 dB": ("level", "", -10),
    "level, -20 dB": ("level", "", -20),
    "level, -40 dB": ("level", "", -40),
    "room of 0.6 s": ("reverb", "", 0.6),
    "tilt of 12 dB": ("tilt", "", 12),
    "half a semitone higher": ("pitch", "", 0.5),
    "a semitone higher": ("pitch", "", 1),
    "tempo, 0.8 times": ("tempo", "", 0.8),
}


@pytest.fixture(scope="module")
def sections(root):
    folder = root / "hardware" / "results" / "robustness"
    return [json.loads((folder / f"{run}.json").read_text()) for run in ("lif", "lif_heard")]


def told(section, wanted, split):
    """A number of the table: title accuracy under a condition, with its interval."""
    found = section["clean"]
    if wanted:
        (found,) = (one for one in section["conditions"] if (one["axis"], one.get("kind", ""), one["value"]) == wanted)
    entry = found["sets"][split]["heads"]["title"]
    return f"{entry['value']:.1f} ({entry['low']:.1f} to {entry['high']:.1f})"


def test_the_readmes_table_is_what_was_measured(root, sections):
    rows = re.findall(
        r"^\| ([^|]+) \|((?: [\d.]+ \([\d.]+ to [\d.]+\) \|){4})$", (root / "README.md").read_text(), re.M
    )
    assert [name for name, _ in rows] == list(CONDITIONS)
    for name, cells in rows:
        wanted = [
            told(section, CONDITIONS[name], split) for split in ("test", "test_keyboards") for section in sections
        ]
        assert [cell.strip() for cell in cells.split("|")[:-1]] == wanted, name


def test_what_was_measured_is_one_protocol(sections):
    plain, heard = sections
    assert plain["clips"] == heard["clips"] == 288
    assert plain["axes"] == heard["axes"]
    assert plain["identity"] != heard["identity"]
    assert len(plain["conditions"]) == len(heard["conditions"]) == 46
