"""Clips as they are heard: exact ratios, the same again, other noise in training than in evaluation."""

import dataclasses

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from train.config import AugmentConfig
from train.config_checks import ALL_NOISES, CHANGES
from train.data.augment import hearing as module
from train.data.augment import noise_files
from train.data.augment.hearing import Hearing
from train.data.augment.noise_files import noise_recordings
from train.data.augment.recipe import Recipe, draw_recipe, room_of
from train.data.sound import load_sound
from train.errors import MaestroError
from train.features import sound_features

RECIPES = {
    "nothing": Recipe(),
    "pitch": Recipe(semitones=1),
    "tempo": Recipe(tempo=1.1),
    "room": Recipe(rt60_s=0.2, room=(1,)),
    "equaliser": Recipe(bands_db=(6, 0, 0, -6, 0, 0)),
    "noise": Recipe(noise="pink", snr_db=5),
    "level": Recipe(level_db=-10),
    "all": Recipe(-1, 0.9, 0.2, (1,), (3, 0, 3, 0, 3, 0), "babble", 3, 6),
}


@pytest.fixture
def hearing(config, data):
    return Hearing(config, data, training=False)


@pytest.fixture
def heard(monkeypatch):
    """Samples whose features were taken, in order."""
    found = []
    monkeypatch.setattr(
        module, "sound_features", lambda samples, *rest: found.append(samples) or sound_features(samples, *rest)
    )
    return found


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("start", [0, 10, 78])
def test_clips_have_their_shape_and_are_the_same_again(hearing, data, config, name, start):
    recording = data.of_split("test")[0]
    whole = sound_features(load_sound(data.file_of(recording), 8000), 8000, config.features)
    assert whole.shape == (9, 94)
    found = hearing.features(recording, start, RECIPES[name], (1, 2))
    assert (found.shape, found.dtype) == ((9, 16), np.float32)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(hearing.features(recording, start, RECIPES[name], (1, 2)), found)
    assert np.array_equal(found, whole[:, start : start + 16]) == (name == "nothing")


@pytest.mark.parametrize("kind", ALL_NOISES)
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_noise_lies_exactly_as_far_below_the_music(hearing, data, tmp_path, music, heard, kind, snr_db):
    soundfile.write(tmp_path / "noise.wav", music(99, 0.3), 8000)
    quiet = dataclasses.replace(hearing.config.noise, folder=str(tmp_path))
    hearing = dataclasses.replace(hearing, config=dataclasses.replace(hearing.config, noise=quiet))
    recording = data.of_split("test")[1]
    hearing.features(recording, 20, Recipe(), (3,))
    hearing.features(recording, 20, Recipe(noise=kind, snr_db=snr_db), (3,))
    clean, noisy = (samples.astype(float) for samples in heard)
    assert np.abs(noisy).max() <= 1
    # Below full scale the music itself is as it was; else all is softer by one factor.
    scale = 1.0
    if np.abs(noisy).max() > 0.999999:
        scale = np.dot(noisy, clean) / np.dot(clean, clean)
    if scale == 1.0:
        found_db = 10 * np.log10(np.mean(clean**2) / np.mean((noisy - clean) ** 2))
        assert found_db == pytest.approx(snr_db, abs=0.1)


def test_a_pause_stays_silent(config, data, heard):
    recording = data.of_split("test")[0]
    sound = load_sound(data.file_of(recording), 8000)
    sound[8000:20000] = 0
    soundfile.write(data.file_of(recording), sound, 8000)
    Hearing(config, data, training=False).features(recording, 45, Recipe(noise="white", snr_db=0), (1,))
    assert not heard[0].any()


def test_babble_is_of_other_pieces_and_of_other_recordings_in_training(hearing, data, monkeypatch):
    read = []
    window = module.read_window
    monkeypatch.setattr(module, "read_window", lambda path, *rest: read.append(path.stem) or window(path, *rest))
    recording = data.of_split("train")[0]
    for training, expected in ((False, "validation-{b,c}0"), (True, "train-{b,c}{0,1}")):
        read.clear()
        dataclasses.replace(hearing, training=training).features(recording, 5, RECIPES["all"], (1,))
        others = set(read) - {recording.id}
        assert {name[-2] for name in others} == {"b", "c"}
        assert {name.rsplit("-", 1)[0] for name in others} == {expected.split("-", maxsplit=1)[0]}


def test_silent_noise_is_not_taken(hearing, data, tmp_path, music):
    folder = tmp_path / "noise"
    folder.mkdir()
    soundfile.write(folder / "a.wav", np.zeros(20000), 8000)
    config = dataclasses.replace(hearing.config, noise=dataclasses.replace(hearing.config.noise, folder=str(folder)))
    silent = dataclasses.replace(hearing, config=config)
    with pytest.raises(MaestroError, match="noise: folder of no recordings"):
        silent.features(data.recordings[0], 0, Recipe(noise="folder"), (1,))


def test_a_file_of_noise_is_heard_on_one_side_whatever_else_is_there(tmp_path, music):
    for number in range(8):
        soundfile.write(tmp_path / f"{number}.flac", music(number), 8000)
    (tmp_path / "more").mkdir()
    for name in ("more/9.WAV", ".hidden.wav", "readme.txt"):
        soundfile.write(tmp_path / name, music(9), 8000, format="WAV")
    (tmp_path / "more" / "copy.flac").write_bytes((tmp_path / "3.flac").read_bytes())

    def sides():
        noise_files._sides.cache_clear()
        return [[entry.file for entry in noise_recordings(tmp_path, training=side)] for side in (True, False)]

    before = sides()
    assert sorted([*before[0], *before[1]]) == [*(f"{number}.flac" for number in range(8)), "more/9.WAV"]
    assert all(before)
    assert noise_recordings(tmp_path, training=True)[0].id.startswith(f"noise {before[0][0]} ")
    for number in range(100, 104):
        soundfile.write(tmp_path / f"0{number}.flac", music(number), 8000)
    for old, new in zip(before, sides(), strict=True):
        assert set(old) <= set(new)


def test_few_files_of_noise(tmp_path, music, capsys):
    soundfile.write(tmp_path / "0.wav", music(0), 8000)
    assert noise_recordings(tmp_path, training=True) == noise_recordings(tmp_path, training=False)
    assert capsys.readouterr().err.count("its only file of noise is heard in training and in evaluation alike") == 1
    for number in range(1, 12):
        folder = tmp_path / str(number)
        folder.mkdir()
        for index in (0, number):
            soundfile.write(folder / f"{index}.wav", music(index), 8000)
        assert all(len(noise_recordings(folder, training=side)) == 1 for side in (True, False))


def test_a_folder_without_noise_is_named(tmp_path):
    with pytest.raises(MaestroError, match=r"away: no such folder of noise. Set noise.folder to a folder of recorded"):
        noise_recordings(tmp_path / "away", training=True)
    with pytest.raises(MaestroError, match=r"holds no sound file \(expected files in .wav, .flac, .ogg, .mp3\)"):
        noise_recordings(tmp_path, training=True)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    likely=st.fixed_dictionaries({name: st.sampled_from([0.0, 0.3, 1.0]) for name in CHANGES}),
    seed=st.integers(0, 1000),
)
def test_recipes_do_what_is_likely_and_at_least_one_thing(likely, seed):
    if not any(likely.values()):
        likely["level"] = 0.1
    config = AugmentConfig(share=1, **likely)
    recipe = draw_recipe(config, np.random.default_rng(seed))
    assert recipe == draw_recipe(config, np.random.default_rng(seed))
    done = {
        "pitch": recipe.semitones != 0,
        "tempo": recipe.tempo != 1,
        "reverb": recipe.rt60_s != 0,
        "equaliser": bool(recipe.bands_db),
        "noise": bool(recipe.noise),
        "level": recipe.level_db != 0,
    }
    assert any(done.values())
    for name, share in likely.items():
        assert done[name] in ((True,) if share == 1 else (False,) if share == 0 else (True, False))
    assert abs(recipe.semitones) <= 0.5
    assert abs(recipe.tempo - 1) <= 0.1
    assert recipe.rt60_s == 0 or 0.2 <= recipe.rt60_s <= 1
    assert not recipe.noise or (recipe.noise in config.kinds and 0 <= recipe.snr_db <= 30)
    assert abs(recipe.level_db) <= 12


def test_rooms_are_spread_over_their_times_of_decay():
    times = [room_of(AugmentConfig(), number)[0] for number in range(24)]
    assert len(set(times)) == 24
    assert min(times) < 0.35
    assert max(times) > 0.85
