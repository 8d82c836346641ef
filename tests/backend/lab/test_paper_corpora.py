"""The paper's corpora in miniature, each in its own layout: prepared, and every network trained on them for an epoch by
the recipes that ship, slimmed."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_corpora import TalkingPhoto, write_crops, write_obama, write_vctk, write_voxceleb2
from makeittalk.animation.lips import gaps
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk_lab.data.clips import Clip, Prepared
from makeittalk_lab.data.image_clips import ImageClip
from makeittalk_lab.data.recordings import UNLABELLED, Recording
from makeittalk_lab.data.splits import speaker_of
from makeittalk_lab.prepare.campaign import LEFT_OUT
from makeittalk_lab.prepare.frames import prepare_frames
from makeittalk_lab.prepare.mouth_frames import prepare_mouth_frames
from makeittalk_lab.prepare.obama import prepare_obama
from makeittalk_lab.prepare.vctk import SPEAKERS, find_speakers, prepare_vctk, read_info
from makeittalk_lab.prepare.voxceleb2 import QUALITY, prepare_voxceleb2
from makeittalk_lab.training.log import Log
from makeittalk_lab.training.speaker import SpeakerTask, SpeakerTrainingConfig
from makeittalk_lab.training.speaker_examples import FOLDER as EXAMPLES
from makeittalk_lab.training.train import TASKS, train
from project import CONFIGS

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    photo = TalkingPhoto(folder)
    write_vctk(folder / "vctk")
    write_obama(folder / "obama", photo, films=4, seconds=2.3)
    write_voxceleb2(folder / "voxceleb2", photo, seconds=1.4)
    write_crops(folder / "crops", photo, seconds=0.6)
    return folder


@pytest.fixture(scope="module")
def prepared(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prepared]:
    dest = tmp_path_factory.mktemp("prepared")
    found = {
        "vctk": prepare_vctk(corpora / "vctk", dest / "vctk"),
        "obama": prepare_obama(corpora / "obama", dest / "obama"),
        "voxceleb2": prepare_voxceleb2(corpora / "voxceleb2", dest / "voxceleb2", speakers=4),
    }
    like = dest / "voxceleb2"
    found["frames_voxceleb2"] = prepare_frames(corpora / "voxceleb2", dest / "frames_voxceleb2", like=like)
    found["frames_crops"] = prepare_frames(corpora / "crops", dest / "frames_crops")
    found["mouths"] = prepare_mouth_frames(corpora / "crops", dest / "mouths")
    return found


def test_vctk_is_split_by_speaker(prepared: dict[str, Prepared], corpora: Path, tmp_path: Path) -> None:
    vctk = prepared["vctk"]
    parts = [{speaker_of(name) for name in part} for part in (vctk.train, vctk.validation, vctk.test)]
    assert [len(part) for part in parts] == [3, 1, 1] and len(set.union(*parts)) == 5
    assert len(vctk.train) == 6 and list(vctk.skipped) == ["p225-099"]
    recording = Recording.load(vctk.folder / f"{vctk.train[0]}.npz")
    assert recording.speaker == speaker_of(vctk.train[0]) and (recording.phones == UNLABELLED).all()
    people = json.loads((vctk.folder / SPEAKERS).read_text())
    assert people["p226"] == {"age": "23", "gender": "M", "accent": "English", "region": "Southern England"}
    assert "p225-099" in (vctk.folder / LEFT_OUT).read_text()
    chosen = prepare_vctk(corpora / "vctk", tmp_path / "few", speakers=3)
    assert len({speaker_of(name) for name in chosen.train + chosen.validation + chosen.test}) == 3
    with pytest.raises(InputError, match="holds no wav48"):
        prepare_vctk(tmp_path, tmp_path / "none")


def test_both_versions_of_vctk_are_found(tmp_path: Path) -> None:
    for name in ("p225/p225_001.wav", "p225/p225_002.wav", "s5/s5_001_mic2.flac", "s5/s5_002_mic1.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "s5" / "s5_002_mic2.flac").touch()
    found = find_speakers(tmp_path)
    assert list(found) == ["p225", "s5"] and list(found["p225"]) == ["p225-001", "p225-002"]
    assert {name: path.name for name, path in found["s5"].items()} == {
        "s5-001": "s5_001_mic2.flac",
        "s5-002": "s5_002_mic1.flac",
    }
    (tmp_path / "info.txt").write_text("ID  AGE  GENDER  ACCENTS  REGION\n225  23  F    English    Southern  England\n")
    assert read_info(tmp_path / "info.txt")["p225"]["region"] == "Southern England"


def test_words_of_vctk_become_phones(corpora: Path, tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    vctk = prepare_vctk(corpora / "vctk", tmp_path / "dest", tmp_path / "phones", speakers=0)
    assert len(vctk.train + vctk.validation + vctk.test) == 10  # what does not fit its text is kept, without phones
    assert not list((tmp_path / "phones").glob("p229*"))  # of whom there is no text
    again = prepare_vctk(corpora / "vctk", tmp_path / "dest", tmp_path / "phones")
    assert again == vctk


def test_films_of_one_speaker_are_cut_and_look_ahead(prepared: dict[str, Prepared]) -> None:
    obama = prepared["obama"]
    assert list(obama.skipped) == ["notes"] and "not a recording" in obama.skipped["notes"]
    names = obama.train + obama.validation + obama.test
    films = [{name.partition(".")[0] for name in part} for part in (obama.train, obama.validation, obama.test)]
    assert len(set.union(*films)) == 4 == sum(map(len, films))  # no film is learned from and tested on
    # The first film has two scenes, each a clip; the frames beside the cut are in none.
    assert sum(name.startswith("2010_01_00_Address.") for name in names) == 2
    for name in names:
        clip = obama.clip(name)
        assert clip.embedding is not None and clip.pitch_shifted is not None and clip.prosody is not None
        width = np.linalg.norm(clip.neutral[16] - clip.neutral[0])
        frontal = width / 1.6 * MEAN_FACE
        still = [0, 16, 27, 30, 36, 39, 42, 45]
        centred = clip.landmarks[:, still] - clip.landmarks[:, still].mean(1, keepdims=True)
        off = np.linalg.norm(centred - (frontal[still] - frontal[still].mean(0)), axis=2).mean()
        assert off < 0.06 * width  # in the template's place, however the head sways …
        assert np.ptp(clip.landmarks[:, 27, 0]) < 0.4 * np.ptp(clip.posed[:, 27, 0])  # … as it does
        loud, open_ = clip.prosody[:, 0], gaps(clip.landmarks)[:, 1]
        assert np.corrcoef(loud, open_)[0, 1] > 0.6


def test_voxceleb2_keeps_the_head_and_frames_keep_the_split(prepared: dict[str, Prepared]) -> None:
    films, frames = prepared["voxceleb2"], prepared["frames_voxceleb2"]
    assert (len(films.train), len(films.validation), len(films.test)) == (2, 1, 1)
    assert list(films.skipped) in ([], ["id00000-aB-c_0-99999"])  # of four speakers of five
    assert (films.train, films.validation, films.test) == (frames.train, frames.validation, frames.test)
    quality = json.loads((films.folder / QUALITY).read_text())
    assert all(0.0 <= quality[name]["jitter"] < 1.5 for name in films.train)
    clip = films.clip(films.train[0])
    assert np.linalg.norm(clip.posed - clip.landmarks, axis=2).mean() > 0.3  # px
    assert ImageClip.load(frames.folder, frames.train[0]).warps.shape[1:] == (256, 256, 3)
    crops = prepared["frames_crops"]
    assert len(crops.train) == 2 and crops.test == ["id10002#w0IBEWc9Qw2#002#100"]


#: What of each recipe is made small, so that a processor core learns it in seconds.
SLIM: dict[str, dict[str, Any]] = {
    "network": {"width": 32, "decoder": 32, "layers": 1, "postnet": 16, "hidden": 16, "mlp": [16], "feed_forward": 16},
    "paper": {"ngf": 4},
    "critic": {"feed_forward": 16},
}


def recipe(name: str, kind: str, folder: Path, data: list[Prepared], **more: Any) -> Path:
    """A shipped recipe for other data, slimmed, an epoch long."""
    config_class, _ = TASKS[kind]
    known = tomllib.loads((CONFIGS / f"{name}.toml").read_text())
    clips = sum(len(part.train) for part in data)
    batch = min(int(known["batch"]), 4)
    steps = max(2, -(-clips // batch))
    known |= {"data": [str(part.folder) for part in data], "out": str(folder / name), "steps": steps, "batch": batch}
    known |= {
        "precision": "32-true",
        "threads": 1,
        "accelerator": "cpu",
        "checkpoint_every": 1,
        "validate_every": steps,
    }
    known.pop("share", None)
    known |= more
    usual = config_class(out="x", data=["x"])  # type: ignore[call-arg]
    for table, values in SLIM.items():
        if hasattr(usual, table):
            fields = vars(getattr(usual, table))
            known[table] = known.get(table, {}) | {key: value for key, value in values.items() if key in fields}
    path = folder / f"{name}.toml"
    plain = {key: value for key, value in known.items() if not isinstance(value, dict)}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain.items())
    for key, value in known.items():
        if isinstance(value, dict):
            text += f"[{key}]\n" + "".join(f"{name} = {json.dumps(item)}\n" for name, item in value.items())
    path.write_text(text)
    return path


def test_every_network_of_the_paper_learns_from_them(prepared: dict[str, Prepared], tmp_path: Path) -> None:
    def learn(name: str, network: str, *data: str, **more: Any) -> str:
        out = train(network, recipe(name, network, tmp_path, [prepared[key] for key in data], **more))
        entries = Log(out).read()
        assert all(np.isfinite([v for v in entry.values() if isinstance(v, float)]).all() for entry in entries)
        assert "validation" in entries[-1] and (out / f"{network}.safetensors").is_file()
        return str(out / f"{network}.safetensors")

    voice = learn("voice_paper", "voice", "vctk", frames=64)
    content = learn("content_paper", "content", "obama", voice_conversion=voice)
    heard = {"voice_conversion": voice, "lips": content}
    learn("speaker_paper", "speaker", "voxceleb2", **heard)
    kept = prepared["voxceleb2"].folder / EXAMPLES
    before = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert len(before) == 3  # those that learn and validate
    config = SpeakerTrainingConfig.load(tmp_path / "speaker_paper.toml")
    task = SpeakerTask(config)
    assert {path.name: path.stat().st_mtime_ns for path in kept.iterdir()} == before
    assert not task.train[0][0].motion.flags.owndata  # mapped, computed once for each set of networks
    SpeakerTask(replace(config, lips=""))
    assert all(path.stat().st_mtime_ns != before[path.name] for path in kept.iterdir())
    first = Path(learn("image_paper", "image", "frames_voxceleb2")).parent
    learn("image_paper_crops", "image", "frames_crops", start=str(first))
    # The second stage begins where the first ended.
    losses = [Log(tmp_path / name).read() for name in ("image_paper", "image_paper_crops")]
    assert losses[1][0]["loss"] < losses[0][0]["loss"]


def test_the_other_networks_learn_from_them(prepared: dict[str, Prepared], tmp_path: Path) -> None:
    """Those that the paper has not: phones, of which some are known here, and the mouth's inside."""
    folder = prepared["vctk"].folder
    for name in prepared["vctk"].train + prepared["vctk"].validation:
        recording = Recording.load(folder / f"{name}.npz")
        recording.phones = np.arange(len(recording.phones)) // 10 % 8
        recording.save(tmp_path)
    index = prepared["vctk"]
    said = Prepared(tmp_path, "voices", index.train, index.validation, [], {})
    said.save()
    slim = {"network": {"width": 16}, "versions": 0, "average": 0.5}
    out = train("phones", recipe("phones", "phones", tmp_path, [said], **slim))
    assert (out / "phones.safetensors").is_file()
    out = train("mouth", recipe("mouth", "mouth", tmp_path, [prepared["mouths"]], batch=2, leave_out=[]))
    assert (out / "mouth.safetensors").is_file()


def test_clips_are_views_of_their_files(prepared: dict[str, Prepared]) -> None:
    clip = Clip.load(prepared["obama"].folder / f"{prepared['obama'].train[0]}.npz", sound=False)
    assert not clip.landmarks.flags.owndata and not clip.landmarks.flags.writeable and clip.samples is None
