"""The SoundFont made ready for symusic's synthesiser, which reads less of it than the standard asks.

symusic 0.5.9 plays through prestosynth, which takes a sample's root key from the sample's header only, so that
zones overriding it (generator 58) sound up to 27 semitones off; clips a zone's tuning to 120 cents; keeps
resampled samples under their start alone, so that zones sharing one take each other's; cuts loop points to
whole samples after resampling, which detunes short loops; and never ends where a loop comes to length 0.
Here each zone gets a sample of its own, with root and tuning in its header and its loop unrolled. What other
synthesisers play from the result is what they played before, but for modulators, which prestosynth has none of,
and what lies behind a loop, which is played after release where a zone's sample mode is 3 (two zones of TimGM6mb).

Source of the format: SoundFont Technical Specification 2.04 (Creative Technology, 2006), sections 4, 7 and 8.
"""

import itertools
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.artifacts import CACHE, atomic_write, key_of, sha256
from train.errors import MaestroError

FORMAT = 1
# Generators of section 8.1.2 by their numbers.
_COARSE_TUNE, _FINE_TUNE, _KEY_RANGE, _VELOCITY_RANGE = 51, 52, 43, 44
_INSTRUMENT_SAMPLE, _SAMPLE_MODES, _ROOT_KEY = 53, 54, 58
# Offsets of start, end and loop points, fine and coarse: folded into the header.
_START, _END, _LOOP_START, _LOOP_END = (0, 4), (1, 12), (2, 45), (3, 50)
# A loop of this many samples, cut by one, is off by under half a cent.
_LOOP_SAMPLES = 4096
# Section 7.10: zeros behind every sample.
_GUARD = 46


@dataclass(frozen=True)
class _Sample:
    """A sample header (section 7.10), positions in samples of the whole pool."""

    name: bytes
    start: int
    end: int
    loop_start: int
    loop_end: int
    rate_hz: int
    root: int
    cents: int


def prepared(source: Path, cache: Path = CACHE) -> Path:
    """The prepared copy of a SoundFont, made once and kept under the source's hash.

    Raises
    ------
    MaestroError
        The file is no SoundFont 2, or damaged.
    """
    path = cache / f"soundfont-{key_of([FORMAT, sha256(source)])}.sf2"
    if not path.is_file():
        try:
            data = prepare(source.read_bytes())
        except (struct.error, KeyError, IndexError, ValueError) as error:
            raise MaestroError(
                str(source), "is not a whole SoundFont 2 file", cure="install pretty_midi again (`make setup`)"
            ) from error
        with atomic_write(path) as temporary:
            temporary.write_bytes(data)
    return path


def prepare(data: bytes) -> bytes:
    """A SoundFont with one sample a zone, its root and tuning in the header, its loop unrolled."""
    lists = _lists(data)
    tables = lists[b"pdta"]
    pool = np.frombuffer(lists[b"sdta"][b"smpl"], dtype="<i2")
    samples = [_sample(record) for record in _records(tables[b"shdr"], 46)[:-1]]
    instruments = _records(tables[b"inst"], 22)
    zones = _zones(tables)
    bags, generators, headers = bytearray(), bytearray(), bytearray()
    sounds: list[NDArray[np.int16]] = []
    written, count = 0, 0
    heads = bytearray()
    for index, instrument in enumerate(instruments):
        heads += instrument[:20] + struct.pack("<H", count)
        if index + 1 == len(instruments):
            break
        first, last = (struct.unpack_from("<H", record, 20)[0] for record in instruments[index : index + 2])
        shared: dict[int, int] = {}
        for number in range(first, last):
            zone = zones[number]
            if _INSTRUMENT_SAMPLE not in zone:
                # Only an instrument's first zone may lack a sample: it holds for all the others (section 7.7).
                shared = zone if number == first else shared
                continue
            whole = {**shared, **zone}
            header, sound = _own_sample(samples[whole[_INSTRUMENT_SAMPLE]], whole, pool, written)
            whole = {key: value for key, value in whole.items() if key not in _folded()}
            whole[_INSTRUMENT_SAMPLE] = len(sounds)
            bags += struct.pack("<HH", len(generators) // 4, 0)
            generators += _ordered(whole)
            headers += header
            sounds.append(sound)
            written += len(sound)
            count += 1
    bags += struct.pack("<HH", len(generators) // 4, 0)
    tables = {
        **tables,
        b"inst": bytes(heads),
        b"ibag": bytes(bags),
        b"imod": bytes(10),
        b"igen": bytes(generators) + bytes(4),
        b"shdr": bytes(headers) + b"EOS".ljust(46, b"\0"),
    }
    chunks = [
        _list(b"INFO", lists[b"INFO"]),
        _list(b"sdta", {b"smpl": np.concatenate(sounds).astype("<i2").tobytes()}),
        _list(b"pdta", tables),
    ]
    return _chunk(b"RIFF", b"sfbk" + b"".join(chunks))


def _lists(data: bytes) -> dict[bytes, dict[bytes, bytes]]:
    """The three LIST chunks and their parts, in the file's order."""
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError("not a SoundFont")
    lists = {}
    for name, body in _chunks(data[12:]):
        if name == b"LIST":
            lists[body[:4]] = dict(_chunks(body[4:]))
    return lists


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > len(data):
            raise ValueError("cut short")
        found.append((name, data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _list(name: bytes, parts: dict[bytes, bytes]) -> bytes:
    return _chunk(b"LIST", name + b"".join(_chunk(part, body) for part, body in parts.items()))


def _records(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _sample(record: bytes) -> _Sample:
    name, start, end, loop_start, loop_end, rate_hz, root, cents, _link, _kind = struct.unpack("<20s5IBbHH", record)
    return _Sample(name, start, end, loop_start, loop_end, rate_hz, root if root <= 127 else 60, cents)


def _zones(tables: dict[bytes, bytes]) -> list[dict[int, int]]:
    """Generators of every instrument zone; amounts signed, as every one used here is, or read back as stored."""
    starts = [struct.unpack_from("<H", record)[0] for record in _records(tables[b"ibag"], 4)]
    pairs = [struct.unpack("<Hh", record) for record in _records(tables[b"igen"], 4)]
    return [dict(pairs[first:last]) for first, last in itertools.pairwise(starts)]


def _folded() -> frozenset[int]:
    """Generators that end up in the sample's header."""
    return frozenset((_COARSE_TUNE, _FINE_TUNE, _ROOT_KEY, *_START, *_END, *_LOOP_START, *_LOOP_END))


def _own_sample(
    sample: _Sample, zone: dict[int, int], pool: NDArray[np.int16], at: int
) -> tuple[bytes, NDArray[np.int16]]:
    """A header (46 bytes) and samples for one zone, to stand at ``at`` in the new pool."""

    def moved(position: int, generators: tuple[int, int]) -> int:
        fine, coarse = generators
        return position + zone.get(fine, 0) + 32768 * zone.get(coarse, 0)

    start, end = moved(sample.start, _START), moved(sample.end, _END)
    loop_start, loop_end = moved(sample.loop_start, _LOOP_START), moved(sample.loop_end, _LOOP_END)
    sound = pool[start:end]
    if zone.get(_SAMPLE_MODES, 0) in (1, 3) and start <= loop_start < loop_end <= end:
        loop = pool[loop_start:loop_end]
        rounds = -(-_LOOP_SAMPLES // len(loop))
        sound = np.concatenate((pool[start:loop_start], np.tile(loop, rounds + 1)))
        first, last = loop_start - start, loop_start - start + rounds * len(loop)
    else:
        first, last = max(loop_start - start, 0), max(min(loop_end, end) - start, 0)
    root = zone.get(_ROOT_KEY, -1)
    root = root if 0 <= root <= 127 else sample.root
    cents = sample.cents + zone.get(_FINE_TUNE, 0) + 100 * zone.get(_COARSE_TUNE, 0)
    semitones = round(cents / 100)
    header = struct.pack(
        "<20s5IBbHH",
        sample.name,
        at,
        at + len(sound),
        at + first,
        at + last,
        sample.rate_hz,
        min(max(root - semitones, 0), 127),
        cents - 100 * semitones,
        0,
        1,
    )
    return header, np.concatenate((sound, np.zeros(_GUARD, dtype=np.int16)))


def _ordered(zone: dict[int, int]) -> bytes:
    """Generators in the order of section 8.1.2: ranges first, the sample last."""
    first = [key for key in (_KEY_RANGE, _VELOCITY_RANGE) if key in zone]
    last = [_INSTRUMENT_SAMPLE]
    middle = [key for key in zone if key not in (*first, *last)]
    return b"".join(struct.pack("<Hh", key, zone[key]) for key in (*first, *middle, *last))
