"""What a run leaves as .npy and .npz files: written sample by sample, whole at the end or not there at all."""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from train.artifacts import atomic_write
from train.errors import CallError, MaestroError


class NpyWriter:
    """Appends samples to an array in a file.

    Parameters
    ----------
    file
        Where to; at its beginning.
    shape
        Of the whole array, samples first.
    dtype
        Of the array.
    """

    def __init__(self, file: BinaryIO, shape: tuple[int, ...], dtype: Any) -> None:
        self._file, self._dtype = file, np.dtype(dtype)
        described = np.lib.format.dtype_to_descr(self._dtype)  # type: ignore[no-untyped-call]
        header = {"descr": described, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]

    def append(self, block: NDArray[Any]) -> None:
        """The next samples."""
        self._file.write(np.ascontiguousarray(block, dtype=self._dtype).data)


@contextmanager
def npy_file(path: Path, shape: tuple[int, ...], dtype: Any) -> Iterator[NpyWriter]:
    """A .npy file to append to, there when all is in it; errors as :func:`train.artifacts.atomic_write` has them."""
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        yield NpyWriter(file, shape, dtype)


@contextmanager
def npz_file(path: Path, arrays: Mapping[str, tuple[tuple[int, ...], Any]]) -> Iterator[dict[str, NpyWriter]]:
    """A .npz file of several arrays, given by shape and type, to append to; as :func:`npy_file`.

    They lie in a temporary folder beside the file until the end, as an archive takes them one after the other.
    """
    with atomic_write(path) as temporary:
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            with ExitStack() as stack:
                files = {name: stack.enter_context((folder / name).open("wb")) for name in arrays}
                yield {name: NpyWriter(files[name], *arrays[name]) for name in arrays}
            with zipfile.ZipFile(temporary, "w") as archive:
                for name in arrays:
                    archive.write(folder / name, f"{name}.npy")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def check_writable(option: str, path: Path, suffix: str) -> None:
    """Refuse, before the work, a file that could not be written after it."""
    if path.suffix != suffix:
        raise CallError(f"{option} {path}", f"does not end in {suffix}", cure=f"write {path}{suffix}")
    if path.is_dir():
        raise CallError(f"{option} {path}", "is a folder", cure=f"write {path / f'output{suffix}'}")
    # The nearest folder that is there: the ones below it can be made.
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        why = "is not a folder" if not above.is_dir() else "may not be written to"
        raise MaestroError(str(path), f"cannot be written: {above} {why}", cure="choose another folder")
