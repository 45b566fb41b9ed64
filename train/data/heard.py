"""What a run has heard: the recordings it was trained on, which none of its tests may hold.

Sides are drawn from what is there. Where recordings come and go after training, a later draw may put on test what the
network was trained on; so the run keeps the names.
"""

from collections.abc import Mapping

from train.artifacts import RunFolder, read_json, write_json
from train.data.clips import ClipSet
from train.data.csv_table import many, some
from train.data.dataset import TRAIN, test_splits
from train.errors import CallError, MaestroError

_CURE = "train again, or put the data set back as it was"


def keep_heard(run: RunFolder, training: ClipSet) -> None:
    """Write down what a run is trained on; where that is there already, what a run goes on with must be the same.

    Raises
    ------
    CallError
        It is not.
    MaestroError
        The file is damaged or cannot be written.
    """
    names = sorted(set(training.names))
    if not run.recordings.is_file():
        write_json(run.recordings, {TRAIN: names})
        return
    kept = _kept(run)
    if changed := sorted(kept ^ set(names)):
        raise CallError(
            str(run.path),
            f"was begun with other recordings for training: {some(changed, 3)} came or went",
            cure="put the data set back as it was, or --overwrite to start again",
        )


def refuse_heard(run: RunFolder, sets: Mapping[str, ClipSet]) -> None:
    """Refuse test sets that hold what the run was trained on. Runs that kept no names are taken at their word.

    Raises
    ------
    MaestroError
        They do; or the file is damaged.
    """
    if not run.recordings.is_file():
        return
    kept = _kept(run)
    for split in test_splits(tuple(sets)):
        names = set(sets[split].names)
        if again := sorted(names & kept):
            found = (
                f"{len(again)} of {many(len(names), 'recording')} of {split} were heard in training: {some(again, 3)}"
            )
            raise MaestroError(str(run.path), found, cure=_CURE)


def _kept(run: RunFolder) -> set[str]:
    found = read_json(run.recordings, cure=_CURE)
    names = found.get(TRAIN) if isinstance(found, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise MaestroError(str(run.recordings), "names no recordings", cure=_CURE)
    return set(names)
