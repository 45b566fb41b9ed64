"""A run with recordings of four titles behind its test clips."""

import numpy as np
import pytest
import soundfile

from train.data.dataset import DataSet, Recording

RATE_HZ = 16000
LABELS = {"title": ("a", "b", "c", "d"), "style": ("s", "t"), "emotion": ("e", "f")}


@pytest.fixture(scope="session")
def recordings(tmp_path_factory):
    """Tones that come and go, a chord a title: one recording of each on either test set and for validation."""
    folder = tmp_path_factory.mktemp("recordings")
    found = []
    time_s = np.arange(round(3.1 * RATE_HZ)) / RATE_HZ
    for split in ("validation", "test", "test_keyboards"):
        for number, title in enumerate("abcd"):
            rng = np.random.default_rng([number, len(found)])
            tones = np.sin(2 * np.pi * (220 + 110 * number) * time_s) * (1 + 0.5 * np.sin(2 * np.pi * 3 * time_s))
            sound = 0.2 * tones + 0.02 * rng.standard_normal(time_s.size)
            name = f"{split}-{title}"
            soundfile.write(folder / f"{name}.wav", sound, RATE_HZ)
            labels = {"title": title, "style": "st"[number // 2], "emotion": "ef"[number % 2]}
            found.append(Recording(name, f"{name}.wav", split, 3.1, title, name, labels))
    return DataSet("four titles", folder, tuple(found), LABELS)


@pytest.fixture
def tried(make_run, recordings, monkeypatch):
    """tried(kind): a run whose clips are those of the recordings; its conditions are few."""
    from hardware.robustness import measure
    from hardware.robustness.conditions import all_conditions
    from lava_runtime import inputs
    from train.data import clips
    from train.data.sound import load_sound
    from train.features import sound_features

    def heard(config):
        sets = {}
        for split in ("test", "test_keyboards"):
            members = recordings.of_split(split)
            sequences = [
                sound_features(load_sound(recordings.file_of(entry), RATE_HZ), RATE_HZ, config.features)
                for entry in members
            ]
            sets[split] = clips.recording_clips(recordings, members, sequences, config)
        return sets, LABELS

    def few(*, folder):
        names = {"noise-white-20", "noise-babble-5", "noise-folder-10", "level--20", "reverb-0.3", "tempo-1.1"}
        return [entry for entry in all_conditions(folder=folder) if entry.name in names]

    def build(kind):
        run = make_run(kind)
        monkeypatch.setattr(inputs, "data_clips", heard)
        monkeypatch.setattr(clips, "data_clips", heard)
        monkeypatch.setattr(measure, "heard_dataset", lambda _: recordings)
        monkeypatch.setattr(measure, "all_conditions", few)
        return run

    return build
