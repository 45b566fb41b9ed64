"""No recording, and so no clip, and no take is on two sides; what is tested was learned: over random tables."""

import json
import shutil
from collections import defaultdict
from pathlib import PurePosixPath

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.data.dataset import SPLITS
from train.data.maestro.reader import read_maestro

PIECES = st.tuples(
    st.sampled_from(["Joseph Haydn", "Frédéric Chopin", "Johann Sebastian Bach", "Nobody"]),
    st.sampled_from(["Sonata Op. 1", "Sonata, Op.1", "Sonata Op. 1, 1st mov.", "Fantasy", "Prelude & Fugue", "Aria"]),
    st.integers(1, 6),
    st.integers(1, 3),
    st.sampled_from(SPLITS),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(PIECES, min_size=1, max_size=25, unique_by=lambda piece: piece[:4]),
    st.integers(1, 4),
    st.sampled_from(["performances", "official", "files"]),
    st.sampled_from([(), ("title",), ("style",), ("mood",)]),
    st.randoms(use_true_random=False),
)
def test_no_leak_over_random_tables(write, row, config, tmp_path, pieces, least, split, heads, random):
    rows = [
        row(n, composer=composer, title=title, player=player, part=part, split=side)
        for n, (composer, title, player, part, side) in enumerate(pieces)
    ]
    keys = {"split": split, "min_recordings": least, "labels": ("more.csv",), "heads": heads}
    given_sides = defaultdict(list)
    for entry in rows:
        given_sides[random.choice(("train", "val", "test"))].append(
            f"2013__{PurePosixPath(entry['midi_filename']).stem}"
        )
    for side in ("train", "val", "test"):
        (tmp_path / f"{side}.json").write_text(json.dumps(given_sides[side]))
    keys["split_files"] = str(tmp_path)
    # Part of it is there.
    root = write(rows, folder="part")
    rows = random.sample(rows, random.randint(1, len(rows)))
    shutil.rmtree(root / "2013", ignore_errors=True)
    (root / "2013").mkdir()
    for entry in rows:
        (root / entry["midi_filename"]).touch()
    data = read_maestro(config(root, **keys))
    if split == "files":
        asked = {name: {"val": "validation"}.get(side, side) for side, names in given_sides.items() for name in names}
        assert all(found.split == asked[found.id] for found in data.recordings)
    # No recording, and so no clip of one, and no take is on two sides.
    assert len({found.id for found in data.recordings}) == len(data.recordings) == len(rows)
    assert len({found.file for found in data.recordings}) == len(rows)
    sides, takes = defaultdict(set), defaultdict(set)
    for found in data.recordings:
        sides[found.group].add(found.split)
        takes[found.piece].add(found.group)
    assert all(len(found) == 1 for found in sides.values())
    for head, names in data.labels.items():
        learned, tested = (
            {found.labels[head] for found in data.of_split(side) if head in found.labels} for side in ("train", "test")
        )
        assert tested <= learned == set(names)
        if head == "title":
            assert tested == learned
            assert all(len(takes[name]) >= least for name in names)
    if len(rows) == len(pieces):
        random.shuffle(rows)
        write(rows, folder="part")
        assert read_maestro(config(root, **keys)) == data
