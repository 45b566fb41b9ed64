"""MAESTRO as a data set: what is there, and what is said of it."""

import json
from collections import Counter

import pytest

from train.config import parse_config
from train.data.dataset import SPLITS, open_dataset
from train.data.maestro.reader import has_files, look_at_maestro, read_maestro
from train.errors import CallError, MaestroError


def said(data, text):
    """The one remark that holds ``text``."""
    (found,) = [remark for remark in data.remarks if text in remark]
    return found


def test_a_small_tree(write, two_titles, config):
    root = write(two_titles, files=("audio",))
    data = read_maestro(config(root))
    assert len(data.recordings) == 11
    assert data.path == root
    assert data.labels == {
        "title": (
            "Frédéric Chopin - Ballade No. 1 in G Minor, Op. 23",
            "Joseph Haydn - Sonata in C Major, Hob. XVI:48",
        ),
        "style": ("Classical", "Romantic"),
    }
    for recording in data.recordings:
        assert data.file_of(recording).is_file()
        assert recording.file.endswith(".wav")
        assert recording.duration_s == 2.5
        assert recording.labels.get("title", recording.piece) == recording.piece
    berg = next(found for found in data.recordings if "Berg" in found.piece)
    assert berg.labels == {}
    assert said(data, "the table has 11 recordings; MAESTRO v3.0.0's has 1276")
    assert said(data, "1 recordings are of 1 pieces with fewer than 3 takes")
    assert said(data, "style: not on both sides, training and test, so left out: Modern")


def test_what_is_missing_is_counted_and_named_before_sides_are_drawn(write, two_titles, config):
    root = write(two_titles, files=("audio", "midi"))
    for entry in two_titles[:3]:
        (root / entry["audio_filename"]).unlink()
    (root / two_titles[0]["midi_filename"]).unlink()
    data = read_maestro(config(root))
    assert said(data, "no file") == "1 of 11 recordings have no file and are left out"
    assert data.details["missing files"] == (f"{two_titles[0]['audio_filename']} or {two_titles[0]['midi_filename']}",)
    assert said(data, "rendered from MIDI") == "2 recordings are rendered from MIDI, 8 are sound"
    assert Counter(recording.file[-4:] for recording in data.recordings) == {".wav": 8, "midi": 2}
    assert len(read_maestro(config(root, media="midi")).recordings) == 10
    sound = look_at_maestro(config(root, media="audio"))
    assert len(sound.recordings) == 8
    # Two Haydns are too few for a title now, and one title is nothing to tell apart.
    assert said(sound, "no head title")


def test_nothing_there(write, two_titles, config):
    root = write(two_titles)
    assert not has_files(config(root))
    with pytest.raises(
        MaestroError, match=r"holds none of the 11 audio or midi files of its table, 2013/.*for one\. Unpack"
    ):
        read_maestro(config(root))
    assert len(read_maestro(config(root), files=False).recordings) == 11
    root = write(two_titles, files=("midi",))
    assert has_files(config(root))
    assert not has_files(config(root, media="audio"))


def test_titles_alone_need_no_other_recordings(write, two_titles, config):
    data = read_maestro(config(write(two_titles), heads=("title",)), files=False)
    assert list(data.labels) == ["title"]
    assert len(data.recordings) == 10
    # Unless label files are to say what others are called.
    assert (
        len(read_maestro(config(write(two_titles), heads=("title",), labels=("more.csv",)), files=False).recordings)
        == 11
    )


def test_a_work_and_its_movement_are_not_two_titles(write, row, two_titles, config):
    movement = "Sonata in C Major, Hob. XVI:48, 1st mov."
    rows = [row(50 + n, composer="Joseph Haydn", title=movement, player=n + 1) for n in range(3)]
    data = read_maestro(config(write([*two_titles, *rows])), files=False)
    assert len(data.labels["title"]) == 2
    whole = "Joseph Haydn - Sonata in C Major, Hob. XVI:48"
    assert data.details["titles left out"] == (f"Joseph Haydn - {movement}: as {whole}",)
    assert not any("title" in found.labels for found in data.recordings if movement in found.piece)


def test_titles_of_a_few_test_recordings_are_no_head_of_official_sides(write, row, two_titles, config):
    """Two pieces are on both sides, and most of the test is of others."""
    rows = [row(60 + n, composer="Joseph Haydn", title=f"Aria No. {n}", split="test", player=n) for n in range(4)]
    sides = {"split": "official", "min_recordings": 2}
    assert set(read_maestro(config(write(two_titles), **sides), files=False).labels) == {"title", "style"}
    data = read_maestro(config(write([*two_titles, *rows]), **sides), files=False)
    assert list(data.labels) == ["style"]
    assert said(data, "no head title: 2 of 7 pieces are on more than one side, 2 are learned and tested, 2 of 6 test")
    assert "title" in read_maestro(config(write([*two_titles, *rows]), min_coverage=0.3, **sides), files=False).labels


def test_titles_that_were_asked_for_and_cannot_be_learned_are_an_error(write, two_titles, config):
    keys = {"heads": ("title", "style"), "min_recordings": 6}
    text = (
        r"nothing to learn: no head title: .* 0 are learned and tested, 0 of \d+ test recordings.*min_recordings lower"
    )
    root = write(two_titles)
    with pytest.raises(MaestroError, match=text):
        read_maestro(config(root, **keys), files=False)
    # Who only looks, or brings labels, is told.
    assert said(look_at_maestro(config(root, **keys), files=False), "no head title")
    assert said(read_maestro(config(root, labels=("more.csv",), **keys), files=False), "no head title")


@pytest.fixture
def labelled(tmp_path):
    """Write a label file: a class of a head for pieces by name, and return its path."""

    def make(head, classes):
        path = tmp_path / f"{head}.csv"
        lines = [f'"{piece}",{head},{value}\n' for piece, value in classes.items()]
        path.write_text("piece,label,value\n" + "".join(lines), encoding="utf-8")
        return str(path)

    return make


@pytest.mark.parametrize("head", ["title", "emotion"])
@pytest.mark.parametrize("split", ["performances", "official"])
def test_a_head_of_label_files_alone_is_read_before_anything_is_refused(write, row, labelled, head, split):
    """Official sides have no titles of their own, and a head that only label files give is none of the table's."""
    works = [("Alban Berg", f"Sonata Op. {number}", split) for number, split in enumerate(SPLITS * 2)]
    rows = [row(n, composer=who, title=title, split=side) for n, (who, title, side) in enumerate(works)]
    root = write(rows, files=("midi",))
    path = labelled(head, {f"{who} - {title}": "ab"[n // 3] for n, (who, title, _) in enumerate(works)})
    sections = {"source": "maestro", "root": str(root), "split": split, "heads": [head], "labels": [path]}
    data = open_dataset(parse_config({"data": sections}))
    assert data.labels == {head: ("a", "b")}
    assert len(data.recordings) == 6
    assert all(head in found.labels for found in data.recordings)


def test_a_head_that_nobody_labels_is_a_wrong_call(write, two_titles, config):
    with pytest.raises(
        CallError, match=r"data.heads: names 'emotion', which MAESTRO has no labels of \(expected of title"
    ):
        read_maestro(config(write(two_titles), heads=("style", "emotion")), files=False)


def test_a_recording_under_another_composers_name_is_counted_to_its_own(write, row, config):
    barcarolle = [("Frédéric Chopin", 1), ("Frédéric Chopin", 2), ("Claude Debussy", 3)]
    rows = [row(n, composer=who, title="Barcarolle, Op. 60", player=n) for who, n in barcarolle]
    rows.append(row(9, composer="Joseph Haydn", title="Fantasia", player=9))
    data = look_at_maestro(config(write(rows)), files=False)
    assert {found.piece for found in data.recordings} == {
        "Frédéric Chopin - Barcarolle, Op. 60",
        "Joseph Haydn - Fantasia",
    }
    assert said(data, "another composer") == "1 recordings are counted to another composer than the table has"
    assert data.details["composers put right"] == ("Claude Debussy - Barcarolle, Op. 60: Frédéric Chopin",)
    assert said(data, "the table: 4 recordings, 0.00 h, 3 composers")
    assert said(data, "3 titles are 2 pieces")


def test_names_that_cannot_be_looked_at(write, row, config):
    rows = [{**row(0), "audio_filename": f"2013/{'x' * 300}.wav"}]
    (write(rows) / "2013").mkdir()
    with pytest.raises(MaestroError, match=r"x\.wav: cannot be looked at: File name too long\. Check its name"):
        has_files(config(write(rows)))
    with pytest.raises(MaestroError, match="cannot be looked at"):
        read_maestro(config(write(rows)))
    with pytest.raises(MaestroError, match="cannot be looked at"):
        read_maestro(config("x" * 5000))


def test_nothing_to_learn(write, row, config):
    with pytest.raises(MaestroError, match=r"nothing to learn: no head title: 0 of 1 pieces .*; no head style"):
        read_maestro(config(write([row(0)])), files=False)
    assert read_maestro(config(write([row(0)]), labels=("more.csv",)), files=False).details["composers without an era"]


def test_official_sides_have_no_titles_where_they_keep_them_apart(write, row, config):
    rows = [
        row(10 * n + player, composer=composer, title=f"Fantasia {n}", split=split, player=player)
        for composer, base in (("Joseph Haydn", 0), ("Robert Schumann", 10))
        for n, split in enumerate(SPLITS, start=base)
        for player in range(3)
    ]
    data = read_maestro(config(write(rows), split="official"), files=False)
    assert list(data.labels) == ["style"]
    assert said(data, "no head title").startswith(
        "no head title: 0 of 6 pieces are on more than one side, 0 are learned and tested, 0 of 6 test recordings"
    )


def test_takes_count_and_not_their_parts(write, row, config):
    """Of two players, one's movements are recordings of their own: two takes, whatever the number of recordings."""
    works = [("Robert Schumann", "Kreisleriana, Op. 16"), ("Joseph Haydn", "Sonata in C Major, Hob. XVI:48")]
    rows = [
        row(
            10 * n + part,
            composer=composer,
            title=title,
            split="train" if part else "test",
            player=min(part, 1),
            part=part,
        )
        for n, (composer, title) in enumerate(works)
        for part in range(4)
    ]
    root = write(rows)
    two = look_at_maestro(config(root, split="official", min_recordings=2), files=False)
    assert {head: len(names) for head, names in two.labels.items()} == {"title": 2, "style": 2}
    three = look_at_maestro(config(root, split="official", min_recordings=3), files=False)
    assert list(three.labels) == ["style"]
    assert said(three, "fewer than 3 takes") == "8 recordings are of 2 pieces with fewer than 3 takes: not for titles"
    assert three.details["pieces with too few takes"][0] == "Joseph Haydn - Sonata in C Major, Hob. XVI:48: 2"


def test_official_sides_that_divide_a_take_are_told(write, row, two_titles, config):
    rows = [*two_titles, row(40, composer="Robert Schumann", title="Fantasie Op. 17", player=3, part=1)]
    rows.append(row(41, composer="Robert Schumann", title="Fantasie Op. 17", player=3, part=2, split="test"))
    root = write(rows)
    data = read_maestro(config(root, split="official"), files=False)
    assert said(data, "comes between") == (
        "the official split comes between the movements of 1 takes; split=performances does not"
    )
    assert data.details["takes on several sides"] == ("2013__03_R1_2013__Robert Schumann - Fantasie Op. 17",)
    ours = read_maestro(config(root), files=False)
    assert len({found.split for found in ours.recordings if "Schumann" in found.piece}) == 1


def test_split_files_in_the_form_of_the_seeds(write, two_titles, config, tmp_path):
    root = write(two_titles)
    ids = [found.id for found in read_maestro(config(root), files=False).recordings]
    sides = {"train": [*ids[0:3], *ids[5:8], ids[10]], "val": [ids[3]], "test": [ids[4], ids[8], ids[9]]}
    for name, part in sides.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(part))
    data = read_maestro(config(root, split="files", split_files=str(tmp_path)), files=False)
    assert [found.id for found in data.of_split("test")] == sides["test"]
    assert [found.id for found in data.of_split("validation")] == sides["val"]
    assert {head: len(names) for head, names in data.labels.items()} == {"title": 2, "style": 2}


def test_recordings_in_no_split_file_are_left_out(write, two_titles, config, tmp_path):
    root = write(two_titles)
    ids = [found.id for found in read_maestro(config(root), files=False).recordings]
    for name, part in {"train": [*ids[0:3], *ids[5:7]], "val": [ids[3]], "test": [ids[4], ids[7], ids[8]]}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(part))
    data = read_maestro(config(root, split="files", split_files=str(tmp_path), heads=("style",)), files=False)
    assert said(data, "none of the split files") == "2 recordings are in none of the split files and are left out"
    assert data.details["without a side"] == (ids[9], ids[10])


def test_a_table_of_eras_goes_before_ours(write, two_titles, config, tmp_path):
    path = tmp_path / "eras.toml"
    path.write_text('"Joseph Haydn" = "Galant"\n')
    data = read_maestro(config(write(two_titles), eras=str(path)), files=False)
    assert data.labels["style"] == ("Galant", "Romantic")
    # What the user decided is not argued about.
    schubert = [{**entry, "canonical_composer": "Franz Schubert"} for entry in two_titles]
    root = write(schubert, folder="schubert")
    assert said(look_at_maestro(config(root), files=False), "the eras of 1 composers can be argued about")
    path.write_text('"Franz Schubert" = "Early"\n')
    assert not any("argued" in remark for remark in look_at_maestro(config(root, eras=str(path)), files=False).remarks)
    # Its composers need not be among those whose recordings are there.
    path.write_text('"Alban Berg" = "Late"\n')
    part = write(two_titles, files=("midi",), folder="part")
    (part / two_titles[-1]["midi_filename"]).unlink()
    assert read_maestro(config(part, eras=str(path))).labels["style"] == ("Classical", "Romantic")
    path.write_text('"Nobody" = "Late"\n')
    with pytest.raises(MaestroError, match="names none of the table's composers"):
        read_maestro(config(part, eras=str(path)))
    with pytest.raises(CallError, match="no such table of eras"):
        read_maestro(config(write(two_titles), eras="none.toml"), files=False)


def test_a_side_that_is_empty_is_refused_where_it_is_learned(write, two_titles):
    root = write(two_titles[:5], files=("midi",))
    sections = {"source": "maestro", "root": str(root), "split": "official", "labels": []}
    with pytest.raises(MaestroError, match="nothing to learn"):
        open_dataset(parse_config({"data": sections}))
