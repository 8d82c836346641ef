"""What the content branch learns from: whose mouth, how often, how far it opens, and what is heard with it."""

from __future__ import annotations

import json
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import NEUTRAL, talking
from makeittalk.animation.lips import gaps
from makeittalk.exchange.errors import InputError
from makeittalk_lab.data import phone_files
from makeittalk_lab.data.augment import Augment
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.phones import PHONES
from makeittalk_lab.data.recordings import UNLABELLED, Recording
from makeittalk_lab.synthetic.phone_motion import learn_canonical_phone_motion
from makeittalk_lab.training import content_examples
from makeittalk_lab.training.content_examples import TAUGHT, ContentExamples

torch.set_num_threads(1)

STILL = Augment(varied=0.0, silence=0.0, mirror=0.0, shape=0.0, identity=0.0)


def films(folder: Path) -> Path:
    """Four clips of a speaker who hardly opens the mouth, one of a speaker who opens it three times as far."""
    folder.mkdir(exist_ok=True)
    names = []
    for number, speaker in enumerate(("s1", "s1", "s1", "s1", "s2")):
        clip = talking(number, 80)
        clip.name = f"{speaker}_clip{number}"
        clip.landmarks = NEUTRAL + (1.0 if speaker == "s1" else 3.0) * (clip.landmarks - NEUTRAL)
        clip.save(folder)
        names.append(clip.name)
    Prepared(folder, "grid", names, [names[0], names[4]], [], {}).save()
    return folder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return films(tmp_path_factory.mktemp("films") / "grid")


def examples(prepared: Path, **more: object) -> ContentExamples:
    return ContentExamples([str(prepared)], [], [], heard=0, **more)


def test_everybody_opens_as_far_as_people_do_on_average(prepared: Path) -> None:
    known = examples(prepared)
    assert set(known.scales) == {"s1", "s2"} and known.scales["s2"] > 2.0 * known.scales["s1"]
    rng, spreads = np.random.default_rng(0), []
    for _ in range(12):
        heard, motion, face = known.draw_heard(rng, 1000, STILL)
        assert heard.shape == (80, 512) and heard.dtype == np.float32
        assert motion.shape == (80, 68, 3) and face.shape == (68, 3) and np.abs(gaps(face)).max() < 1e-5
        spreads.append(gaps(motion).mean(1).std())
    # Clips differ, but no longer three times.
    assert max(spreads) < 2.0 * min(spreads)
    assert np.mean(spreads) == pytest.approx(known.mean_scale(), rel=0.3)


def test_speakers_are_drawn_by_the_root_of_their_clips(prepared: Path) -> None:
    """Four clips of one and one of the other: the other is heard a third of the time, not a fifth."""
    known, rng = examples(prepared), np.random.default_rng(0)
    drawn = [known._any(rng)[1].speaker for _ in range(600)]
    assert drawn.count("s2") / 600 == pytest.approx(1 / 3, abs=0.06)


def test_who_is_left_out_teaches_and_validates_nothing(prepared: Path) -> None:
    known = examples(prepared, left_out=["s2"])
    assert set(known.scales) == {"s1"} and len(known.clips) == 4
    assert [clip.name for _, clip in known.validation] == ["s1_clip0"]
    with pytest.raises(InputError, match="hold no clips"):
        examples(prepared, left_out=["s1", "s2"])


def test_a_stretch_of_sound_keeps_its_motion(prepared: Path) -> None:
    """Sound and jaw go together in whatever part is drawn: the made-up jaw follows the loudness."""
    known, rng = examples(prepared), np.random.default_rng(1)
    clip = known.clips[0]
    for _ in range(6):
        heard, motion, _ = known.draw_heard(rng, 40, STILL)
        assert len(heard) == len(motion) == 40
        likely = [
            np.abs(example.versions[0].features[start : start + 40].astype(np.float32) - heard).max()
            for example in known._folders[0]
            for start in range(len(clip.mel) - 39)
        ]
        example, start = divmod(int(np.argmin(likely)), len(clip.mel) - 39)
        assert min(likely) == 0.0
        shape = known._folders[0][example].motion[start : start + 40]
        assert np.corrcoef(shape.ravel(), motion.ravel())[0, 1] > 0.999


def test_nobody_speaks_with_a_mouth_at_rest(prepared: Path) -> None:
    known, rng = examples(prepared), np.random.default_rng(2)
    quiet = Augment(varied=0.0, silence=1.0)
    for _ in range(3):
        heard, motion, face = known.draw_heard(rng, 60, quiet)
        assert heard.shape == (60, 512) and motion.shape == (60, 68, 3) and face.shape == (68, 3)
        assert not motion.any() and heard.any()


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    """Two recordings of people who were not filmed: of one the phones are known up to frame 60, of the other none."""
    folder = tmp_path / "voices"
    folder.mkdir()
    for name, known in (("1-1", 60), ("2-1", 0)):
        clip = talking(9, 80)
        phones = np.full(80, UNLABELLED)
        phones[:known] = np.repeat([PHONES.index("AA"), PHONES.index("B")], 30)[:known]
        empty = np.zeros((0, 256), np.float32)
        Recording(
            name, name[0], clip.mel, phones, np.zeros((0, 2), int), empty, np.zeros(256, np.float32), clip.samples
        ).save(folder)
    Prepared(folder, "voices", ["1-1", "2-1"], [], [], {}).save()
    return folder


def test_taught_voices_get_the_mouth_of_the_filmed(
    tmp_path: Path, voices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = partial(learn_canonical_phone_motion, steps=40)  # one mouth and two phones are soon learnt
    monkeypatch.setattr(content_examples, "learn_canonical_phone_motion", few)
    folder = films(tmp_path / "grid")
    with pytest.raises(InputError, match="phones of no filmed clip are known"):
        examples(folder, taught=[str(voices)])
    (folder / phone_files.FOLDER).mkdir()
    for name in Prepared.load(folder).train:
        clip = Prepared.load(folder).clip(name)
        opened = (clip.landmarks - clip.neutral)[:, 66, 1] > 3.0
        edges = [0, *(np.flatnonzero(np.diff(opened)) + 1), len(opened)]
        phones = [[a / 62.5, b / 62.5, "AA" if opened[a] else "B"] for a, b in pairwise(edges)]
        (folder / phone_files.FOLDER / f"{name}.json").write_text(json.dumps(phones))
    known = ContentExamples([str(folder)], [0.0, 1.0], [], heard=0, taught=[str(voices)])
    assert set(known.scales) == {"s1", "s2", TAUGHT} and known.mean_scale() == known.scales[TAUGHT]
    assert len(known.clips) == 5  # nothing of those recordings but what Whisper hears is kept
    heard, motion, _ = known.draw_heard(np.random.default_rng(0), 1000, STILL)
    assert len(heard) == len(motion) == 60  # as far as the phones are known
    shown = gaps(motion).mean(1)
    assert shown[8:22].mean() > 2.0 * max(shown[38:52].mean(), 0.0) and shown[8:22].mean() > 0.01
    Prepared(voices, "voices", ["2-1"], [], [], {}).save()
    with pytest.raises(InputError, match="phones of no recording"):
        examples(folder, taught=[str(voices)])
