"""Synthetic voices: filmed motion brought to another sound, sentences of a text."""

import json
import shutil

import numpy as np
import pytest
from made_clips import write_clips
from makeittalk.audio.loading import write_wav
from makeittalk.cli.main import main
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.errors import InputError
from makeittalk_lab.data.augment import interpolate_frames
from makeittalk_lab.data.clips import Clip, Prepared
from makeittalk_lab.prepare.spoken import prepare_spoken, split_text
from makeittalk_lab.prepare.tts import prepare_tts, spoken_clip, time_map
from makeittalk_lab.synthetic.speech_synthesis import Synthesiser, pad_silence, spell_letters

needs_voices = pytest.mark.skipif(
    not (shutil.which("espeak-ng") or shutil.which("flite")), reason="no speech synthesiser on this machine"
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Clip:
    folder = Prepared.load(write_clips(tmp_path_factory.mktemp("films")))
    return folder.clip(folder.train[0])


def test_time_runs_as_the_phones_do():
    """Phones at 1–2 s here were filmed at 3–3.5 s: half a second passes in one, and outside all is as fast as here."""
    place = time_map(np.array([1.0, 2.0]), np.array([3.0, 3.5]), 200) / FRAME_RATE
    seconds = np.arange(200) / FRAME_RATE
    inside = (seconds > 1.1) & (seconds < 1.9)
    np.testing.assert_allclose(place[inside], 3.0 + 0.5 * (seconds[inside] - 1.0), atol=1e-6)
    outside = (seconds > 2.2) & (seconds < 3.0)
    np.testing.assert_allclose(place[outside], 3.5 + seconds[outside] - 2.0, atol=1e-6)
    assert (np.diff(place) > 0).all()


def test_a_sequence_is_read_between_its_frames():
    values = np.arange(5.0)[:, None] * [1.0, 2.0]
    np.testing.assert_allclose(
        interpolate_frames(values, np.array([-3.0, 0.5, 3.25, 9.0])), [[0, 0], [0.5, 1], [3.25, 6.5], [4, 8]]
    )


def test_the_filmed_motion_comes_with_another_sound(clip):
    sound = (0.1 * np.random.default_rng(0).standard_normal(24_000)).astype(np.float32)
    filmed = [(0.0, 0.2, "SIL"), (0.2, 0.4, "B"), (0.4, 0.9, "AA"), (0.9, 1.0, "SIL")]
    later = [(0.0, 0.5, "SIL"), (0.5, 0.7, "B"), (0.7, 1.2, "AA"), (1.2, 1.5, "SIL")]
    moved = spoken_clip(clip, "said", sound, later, filmed)
    assert moved is not None and moved.mel.shape == (len(moved.landmarks), 80) and moved.embedding.shape == (256,)
    assert moved.samples is not None
    # Every phone comes 0.3 s later.
    frames = np.arange(round(0.6 * FRAME_RATE), round(1.1 * FRAME_RATE))
    wanted = interpolate_frames(clip.landmarks, frames - 0.3 * FRAME_RATE)
    np.testing.assert_allclose(moved.landmarks[frames], wanted, atol=1e-3)
    assert not np.allclose(moved.landmarks[frames], clip.landmarks[frames], atol=1e-3)
    # Other phones, or three times the time, are another sentence.
    assert spoken_clip(clip, "said", sound, [*later[:2], (0.7, 1.2, "IY")], filmed) is None
    assert spoken_clip(clip, "said", sound, [(0.0, 0.1, "B"), (0.1, 2.9, "AA")], filmed) is None
    assert spoken_clip(clip, "said", sound, [], filmed) is None


def test_text_becomes_sentences():
    text = "The Program, in short: don't copy 3 lines. A b.\nOne two three four five six seven eight nine ten eleven"
    # Runs of fewer than three words tell too little, runs of more than eight are cut.
    assert split_text(text) == ["one two three four five six seven eight", "nine ten eleven"]
    assert split_text("Don't you see?\nDon't you see?") == ["don't you see"]
    assert spell_letters("bin blue at a. two".split()) == "bin blue at ay two"
    assert spell_letters("set f. nine".split()) == "set F nine"
    assert len(pad_silence(np.zeros(100, np.float32), np.random.default_rng(0))) == 100 + 2 * 3200


@needs_voices
def test_a_synthesiser_speaks_in_many_voices():
    voices = Synthesiser.find()
    said = [voices.synthesise("place blue at F two now", np.random.default_rng(seed)) for seed in range(3)]
    assert all(len(sound) > 8_000 and np.abs(sound).max() > 0.01 for sound in said)
    assert len({len(sound) for sound in said}) > 1


@needs_voices
def test_a_text_is_spoken(tmp_path, capsys):
    films = tmp_path / "films"
    (tmp_path / "prepared").mkdir()
    prepared = write_clips(tmp_path / "prepared")
    (films / "align").mkdir(parents=True)
    text = tmp_path / "text.txt"
    text.write_text("place the blue book by me now.")
    out = tmp_path / "out"
    (out / "phones").mkdir(parents=True)
    # The films' phones are known already; no sound is needed to teach the mouth.
    for name in Prepared.load(prepared).train:
        phones = [[0.0, 0.3, "SIL"], [0.3, 0.5, "B"], [0.5, 1.0, "AA"]]
        (out / "phones" / f"{name}.json").write_text(json.dumps(phones))
    command = ["prepare", "spoken", str(text), str(out)]
    assert main(command) == 2 and "--grid" in capsys.readouterr().err
    folder = prepare_spoken(text, out, prepared, films, steps=3)
    assert folder.kind == "spoken" and folder.train
    clip = folder.clip(folder.train[0])
    assert clip.embedding is not None and len(clip.mel) == len(clip.landmarks)
    assert (out / "sounds" / f"{clip.name}.wav").is_file()
    assert json.loads((out / "phones" / f"{clip.name}.json").read_text())[0][2] == "SIL"
    known = Prepared.load(out).train
    assert prepare_spoken(text, out, prepared, films, steps=3).train == known  # nothing is said again
    with pytest.raises(InputError, match=r"no\.txt"):
        prepare_spoken(tmp_path / "no.txt", out, prepared, films)


@needs_voices
def test_filmed_sentences_are_spoken(tmp_path):
    """A real sentence of the corpus' kind, in voices that say its very phones."""
    films = tmp_path / "films"
    (films / "align").mkdir(parents=True)
    (films / "audio").mkdir()
    (tmp_path / "prepared").mkdir()
    folder = Prepared.load(write_clips(tmp_path / "prepared", 6))
    rng, voices, words = np.random.default_rng(4), Synthesiser.find(), "place blue by me now"
    for name in folder.train:
        (films / "align" / f"{name}.align").write_text("".join(f"0 1000 {word}\n" for word in words.split()))
        write_wav(films / "audio" / f"{name}.flac", pad_silence(voices.synthesise(words, rng), rng), 16_000)
    spoken = prepare_tts(films, tmp_path / "out", folder.folder)
    assert spoken.kind == "tts" and len(spoken.train) + len(spoken.skipped) == 3 * len(folder.train)
    clip = spoken.clip(spoken.train[0])
    assert clip.embedding is not None and len(clip.mel) == len(clip.landmarks)
