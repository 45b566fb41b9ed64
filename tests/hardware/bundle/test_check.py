"""A bundle is read whole or not at all: the first file that is not as it was packed is named."""

import zipfile

import pytest

from hardware.bundle.check import FILES, open_folder, unpacked
from train.artifacts import write_json
from train.errors import MaestroError


def read(cli, run, path):
    return cli("hardware", "bundle", run.path, "--read", path)


def rezip(path, change):
    """The zip again, its files changed by name."""
    with zipfile.ZipFile(path) as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    top = next(iter(files)).split("/")[0]
    change(top, files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_refused_and_named(packed, run, cli, answer, write, name, place):
    result = write(answer(packed))

    def flip(top, files):
        content = bytearray(files[f"{top}/{name}"])
        content[int(place * len(content))] ^= 1
        files[f"{top}/{name}"] = bytes(content)

    rezip(packed.path, flip)
    done = read(cli, run, result)
    assert done.exit_code == 1
    assert f"bundle.zip, {name}: is" in done.output
    assert not run.measurement.exists()


def test_every_byte_of_the_hashes_counts(packed, unzip):
    folder = unzip(packed.path)
    whole = (folder / "SHA256SUMS").read_bytes()
    for place in range(0, len(whole), 7):
        content = bytearray(whole)
        content[place] ^= 32
        (folder / "SHA256SUMS").write_bytes(content)
        with pytest.raises(MaestroError, match=r"SHA256SUMS"):
            open_folder(folder)
    (folder / "SHA256SUMS").write_bytes(whole)
    open_folder(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(packed, run, cli, write, name):
    rezip(packed.path, lambda top, files: files.pop(f"{top}/{name}"))
    done = read(cli, run, write({}))
    assert done.exit_code == 1
    assert f"bundle.zip, {name}: is missing from the bundle" in done.output


def test_a_file_too_many_is_named(packed, run, cli, write, unzip, tmp_path):
    rezip(packed.path, lambda top, files: files.update({f"{top}/more.py": b"x"}))
    assert "more.py, which is none of a bundle's files" in read(cli, run, write({})).output
    rezip(packed.path, lambda top, files: files.update({"../../escape.txt": b"x"}))
    assert read(cli, run, write({})).exit_code == 1
    assert not list(tmp_path.rglob("escape.txt"))


def test_a_file_too_many_in_a_folder_is_named(packed, unzip):
    folder = unzip(packed.path)
    (folder / "result.json").write_text("{}")
    open_folder(folder)
    (folder / "inputs2.npy").write_text("")
    with pytest.raises(MaestroError, match=r"inputs2\.npy: is none of a bundle's files\. Take it out"):
        open_folder(folder)


def test_a_truncated_zip_and_what_is_none(packed, run, cli, write):
    whole = packed.path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-5], b"", b"no zip at all"):
        packed.path.write_bytes(content)
        done = read(cli, run, write({}))
        assert done.exit_code == 1
        assert "bundle.zip: is not a whole zip" in done.output
        assert "Traceback" not in done.output


def test_a_byte_of_the_zip_itself(packed):
    """Whatever byte of the archive is another: an error of ours, or the very same content."""
    whole = packed.path.read_bytes()
    refused = 0
    places = [*range(0, len(whole), max(1, len(whole) // 80)), *range(len(whole) - 1200, len(whole), 9)]
    for place in places:
        content = bytearray(whole)
        content[place] ^= 0x41
        packed.path.write_bytes(content)
        try:
            with unpacked(packed.path) as bundle:
                assert bundle.id == packed.content["id"]
        except MaestroError:
            refused += 1
    assert refused > len(places) // 2


def test_a_bundle_json_that_says_nonsense(packed, unzip):
    from hardware.bundle.check import sums_text

    folder = unzip(packed.path)
    for values, text in (
        ({"format": 1}, "does not say what a bundle says"),
        ({**packed.content, "format": 7}, "is of format 7, expected 1"),
        ({**packed.content, "id": "0" * 64}, "has an id that is not of these files"),
    ):
        write_json(folder / "bundle.json", values)
        (folder / "SHA256SUMS").write_text(sums_text(folder))
        with pytest.raises(MaestroError, match=text):
            open_folder(folder)
