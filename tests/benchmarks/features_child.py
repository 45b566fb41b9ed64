"""Features of a folder's recordings made and read again; started by ``test_features.py``, which watches its memory.

``features_child.py FOLDER CACHE`` prints JSON.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

# What is to be run lies in the folder that this is started in.
sys.path.insert(0, str(Path.cwd()))

from train import artifacts
from train.config import Config, DataConfig
from train.data.clips import cut_clips
from train.data.dataset import DataSet, Recording
from train.data.parallel import cores
from train.data.recordings import dataset_features
from train.features import clip_steps, warm_up

BATCH, BATCHES = 32, 200


def main() -> None:
    """Make them, open them again, read batches of clips."""
    folder, artifacts.CACHE = Path(sys.argv[1]), Path(sys.argv[2])
    entries = []
    for number, path in enumerate(sorted(folder.glob("*.wav"))):
        split = ("train", "validation", "test")[number % 3]
        duration_s = soundfile.info(path).duration
        entries.append(Recording(path.stem, path.name, split, duration_s, path.stem, path.stem, {"title": "a"}))
    data = DataSet(folder.name, folder, tuple(entries), {"title": ("a",)})
    config = Config(data=DataConfig(source="folder", root=str(folder)))
    # Libraries are loaded, and librosa compiles at its first use after installation.
    warm_up()
    started = time.perf_counter()
    dataset_features(data, config)
    made_s = time.perf_counter() - started
    started = time.perf_counter()
    sequences = [features for features in dataset_features(data, config) if features is not None]
    opened_s = time.perf_counter() - started
    steps = clip_steps(config.features)
    clips = cut_clips(sequences, steps, steps)
    generator, read_s = np.random.default_rng(0), []
    for _ in range(BATCHES):
        chosen = generator.integers(len(clips), size=BATCH)
        started = time.perf_counter()
        clips.features(chosen)
        read_s.append(time.perf_counter() - started)
    stored = sum(path.stat().st_size for path in artifacts.CACHE.rglob("*.h5"))
    told = {"made_s": made_s, "opened_s": opened_s, "read_s": read_s, "stored_bytes": stored, "processes": cores()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
