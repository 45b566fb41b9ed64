"""What a sound file's container says of its length, before it is decoded."""

from pathlib import Path

from train.errors import MaestroError

KINDS = "a WAV, FLAC, OGG, MP3 or MIDI file"
TRUNCATED = "copy or download it again, whole"
# An Ogg page is at most 27 + 255 + 255 * 255 bytes long (RFC 3533, section 6).
_OGG_PAGE = 65307


def file_size(path: Path) -> int:
    """Bytes of a file that is there and can be read.

    Raises
    ------
    MaestroError
        No such file, a folder, empty, or it may not be read.
    """
    where = str(path)
    if path.is_dir():
        raise MaestroError(where, "is a folder", allowed=KINDS)
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
    except FileNotFoundError as error:
        raise MaestroError(where, "no such file", cure="check the path") from error
    except OSError as error:
        raise MaestroError(where, f"cannot be read: {error.strerror or error}", cure="check its permissions") from error
    if size == 0:
        raise MaestroError(where, "is empty (0 bytes)", allowed=KINDS, cure=TRUNCATED)
    return size


def check_whole(path: Path, size: int) -> None:
    """Refuse a file cut short where libsndfile would silently read what is left.

    It trusts the file's length over the header of WAV and AIFF, and takes the last page it finds in
    an Ogg stream for the last one.

    Raises
    ------
    MaestroError
        The file is shorter than its header says.
    """
    where = str(path)
    with path.open("rb") as file:
        magic = file.read(4)
    if magic in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
        promised = _end_of_samples(path, magic)
        if promised is not None and promised > size:
            raise MaestroError(
                where, f"truncated: its header promises {promised} bytes, the file has {size}", cure=TRUNCATED
            )
    elif magic == b"OggS" and not _ends_an_ogg_stream(path, size):
        raise MaestroError(where, "truncated: the last page of its Ogg stream is missing", cure=TRUNCATED)


def _end_of_samples(path: Path, magic: bytes) -> int | None:
    """Where the chunk of samples ends by its own header, in bytes; None if it does not say.

    Chunks of IFF files (EA 85, 1985), of WAV and, with 64-bit lengths in ``ds64``, of RF64 (EBU Tech 3306).
    """
    order = "big" if magic in (b"RIFX", b"FORM") else "little"
    long_size: int | None = None
    with path.open("rb") as file:
        file.seek(12)
        while len(header := file.read(8)) == 8:
            name, length = header[:4], int.from_bytes(header[4:], order)  # type: ignore[arg-type]
            start = file.tell()
            if name in (b"data", b"SSND"):
                # All ones: the writer did not know (a pipe), or ds64 does.
                if length == 0xFFFFFFFF:
                    return None if long_size is None else start + long_size
                return start + length
            if name == b"ds64":
                long_size = int.from_bytes(file.read(16)[8:], "little")
            file.seek(start + length + length % 2)
    return None


def _ends_an_ogg_stream(path: Path, size: int) -> bool:
    """Whether the file's last page is there in full and marked as its stream's last (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(max(0, size - _OGG_PAGE))
        tail = file.read()
    page = tail[max(tail.rfind(b"OggS"), 0) :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    body = sum(page[27 : 27 + page[26]])
    return bool(page[5] & 4) and len(page) >= 27 + page[26] + body
