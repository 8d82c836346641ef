"""`makeittalk evaluate`: baselines, pairs, sets and recordings, on data small enough to see through."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from librosa.sequence import dtw
from made_clips import NEUTRAL, shut_lips, talking, write_clips
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.cli.main import main
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Motion, MotionParts
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.landmarks.measures import mouth_area, opening
from makeittalk.landmarks.pose import Canonical
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.voice import VoiceConfig, VoiceConversion
from makeittalk.networks.voice_inference import TargetVoice, VoiceModel, save_voice
from makeittalk_lab.data import phone_files
from makeittalk_lab.data.clips import Clip, Prepared
from makeittalk_lab.evaluation import evaluate, recordings, report
from makeittalk_lab.evaluation.ablation import speaker_lips, without_content
from makeittalk_lab.evaluation.baselines import LoudnessBaseline, RetrievalBaseline, frame_energy, warping_costs
from makeittalk_lab.evaluation.cross_voice import CrossVoice
from makeittalk_lab.evaluation.face_motion import FaceMotion, clip_speech, predict_clip
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.distance import cdist


def test_loudness_baseline_finds_a_linear_mouth():
    clip = talking(0)
    slope = np.zeros((68, 3))
    slope[66, 1] = 4.0
    energy = frame_energy(clip.mel)
    still = np.zeros((len(energy), 68, 3)) + clip.neutral
    frame = Canonical.of(clip.neutral)
    clip.landmarks = still + frame.displacement_from(energy[:, None, None] * slope)
    assert np.abs(LoudnessBaseline.fit([clip]).predict(clip.mel) - energy[:, None, None] * slope).max() < 1e-3


def test_warping_costs_are_those_of_librosa():
    rng = np.random.default_rng(0)
    query = rng.normal(size=(9, 5)).astype(np.float32)
    counts = np.array([4, 12, 9])
    others = rng.normal(size=(3, 12, 5)).astype(np.float32)
    found = warping_costs(query, others, counts)
    for number, count in enumerate(counts):
        expected = dtw(C=cdist(query, others[number, :count]), backtrack=False)[-1, -1] / (9 + count)
        assert found[number] == pytest.approx(expected, rel=1e-4)


def test_retrieval_finds_a_clip_again_however_fast_it_is_spoken():
    clips = [talking(seed) for seed in range(16)]
    retrieval = RetrievalBaseline(clips)
    wanted = clips[5]
    times = np.linspace(0, len(wanted.mel) - 1, 150)  # a fifth slower
    mel = np.stack([np.interp(times, np.arange(len(wanted.mel)), band) for band in wanted.mel.T], 1)
    face, rotation, shift = retrieval.predict(mel.astype(np.float32))
    assert face.shape == (150, 68, 3) and rotation.shape == shift.shape == (150, 3)
    moved = Canonical.of(wanted.neutral).displacement_to(wanted.landmarks - wanted.neutral)[:, 66, 1]
    expected = np.interp(times, np.arange(len(moved)), moved)
    assert np.corrcoef(face[:, 66, 1], expected)[0, 1] > 0.98


def motion_of(clip: Clip, scale: float = 1.0) -> Motion:
    return motion_of_landmarks(scale * clip.landmarks, scale * clip.neutral, 62.5)


def test_a_motion_agrees_with_itself_whatever_the_portrait(tmp_path):
    clip = talking(4)
    for predicted in (motion_of(clip), motion_of(clip, 3.0)):
        found = evaluate.evaluate_pair(predicted, motion_of(clip))
        assert found["D-LL"] < 0.05 and found["D-A"] < 0.2 and found["D-Rot"] < 0.01 and found["D-Pos"] < 0.01
        assert found["opening correlation"] > 0.999
    still = motion_of(clip)
    still.landmarks = np.repeat(clip.neutral[None], len(clip.mel), 0)
    found = evaluate.evaluate_pair(still, motion_of(clip))
    assert found["opening correlation"] == 0 and found["D-A"] > 10
    assert "D-LL" in report.table(found)
    evaluate.plot_pair(still, motion_of(clip), tmp_path / "opening.png")
    assert (tmp_path / "opening.png").read_bytes().startswith(b"\x89PNG")


def test_an_open_portrait_is_measured_from_its_shut_mouth():
    """Neither a smile nor a filmed face's own gap is motion: what counts is how far either leaves its shut mouth."""
    clip = talking(5)
    smile = clip.neutral.copy()
    smile[[65, 66, 67], 1] += 8
    spoken = clip.landmarks - (clip.neutral + shut_lips(clip.neutral))
    still, head = np.zeros_like(clip.landmarks), np.zeros((len(clip.landmarks), 3))
    parts = MotionParts(shut_lips(smile), still, still, head[:, 0], head, head)
    motion = replace(motion_of(clip), neutral=smile, expression=shut_lips(smile) + spoken, parts=parts)
    assert evaluate.evaluate_pair(motion, motion_of(clip))["D-A"] < 1
    # A film of the same smile that opens as far beyond its shut mouth counts alike.
    filmed = motion_of_landmarks(smile + shut_lips(smile) + spoken, smile, 62.5)
    assert evaluate.evaluate_pair(filmed, motion_of(clip))["D-A"] < 1
    # A mouth that stays shut misses what the reference shows at rest, however little that is.
    motion.expression = np.repeat(shut_lips(smile)[None], len(spoken), 0)
    missed = evaluate.evaluate_pair(motion, motion_of(clip))
    gape = mouth_area(clip.landmarks)
    assert missed["D-A"] == pytest.approx(100 * gape.mean() / gape.max(), rel=0.05)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    return write_clips(tmp_path_factory.mktemp("prepared"))


def test_a_set_is_measured_with_the_shipped_networks(prepared, tmp_path, capsys):
    folder = prepared / phone_files.FOLDER
    names = Prepared.load(prepared).test
    folder.mkdir()
    for name in names[:2]:
        (folder / f"{name}.json").write_text('[[0.0, 0.4, "M"], [0.5, 1.9, "AA"]]')
    plot = tmp_path / "set.png"
    assert main(["evaluate", "--set", str(prepared), "--json", "--plot", str(plot), "--seed", "1"]) == 0
    found = json.loads(capsys.readouterr().out)  # also: no NaN, which is no JSON
    assert plot.read_bytes().startswith(b"\x89PNG")
    rows = found["rows"]
    assert set(rows) == {"prediction", "animation", "loudness", "retrieval", "static", "filmed"}
    wanted = {"D-LL", "D-VL", "D-A", "D-L", "D-V", "D-Rot", "D-Pos", "opening correlation", "best correlation"}
    for row in rows.values():
        assert set(row) == wanted | {"closure score"} and all(value is not None for value in row.values())
    # The made-up films say which baseline must win: their jaws follow the loudness, their heads are still.
    assert rows["loudness"]["opening correlation"] > 0.85 > rows["static"]["opening correlation"]
    assert rows["static"]["D-Rot"] < 0.01 < rows["animation"]["D-Rot"]
    assert rows["retrieval"]["opening correlation"] > 0.5
    assert rows["static"]["closure score"] == 0 < rows["loudness"]["closure score"]
    assert set(found["each"]) == set(names) and found["each"][names[2]]["closure score"] is None
    assert found["heads"]["animation"]["turn spread"] > found["heads"]["filmed"]["turn spread"]
    assert found["heads"]["animation"]["voice contrast"] is None  # one speaker
    # The same seed moves the same head, another one another, and the lips do neither.
    again = evaluate.evaluate_set(prepared, seed=1)
    other = evaluate.evaluate_set(prepared, seed=2)
    assert again["rows"] == rows
    assert other["rows"]["animation"]["D-Rot"] != rows["animation"]["D-Rot"]
    assert other["rows"]["animation"]["D-A"] == rows["animation"]["D-A"]
    text = report.table(found)
    assert text.splitlines()[0].split()[:3] == ["D-LL", "D-VL", "D-A"] and "retrieval" in text and "nod spread" in text


@pytest.fixture(scope="module")
def spoken(speech_wav, tmp_path_factory) -> Path:
    """Clips of the embedded recording with still heads, whose jaws follow its loudness."""
    folder = tmp_path_factory.mktemp("spoken")
    samples = normalise_loudness(load_audio(speech_wav).samples)
    for seed in range(4):
        clip = talking(seed, 100)
        clip.samples = samples[25_600 * seed :][: 25_600 - 1]
        clip.mel = mel_spectrogram(clip.samples)
        energy = gaussian_filter1d(frame_energy(clip.mel), 3.0)
        clip.landmarks = np.repeat(NEUTRAL[None], 100, 0)
        clip.landmarks[:, [57, 65, 66, 67, 8], 1] += 12.0 * (energy / energy.max())[:, None]
        clip.posed = clip.landmarks
        clip.save(folder)
    Prepared(folder, "grid", ["clip00"], [], ["clip01", "clip02", "clip03"], {}).save()
    return folder


def test_parts_of_the_method_are_left_out(spoken, capsys):
    command = ["evaluate", "--set", str(spoken), "--without", "all", "--json"]
    assert main(command) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert list(rows) == ["full", "autovc", "no content branch", "no speaker branch"]
    full, heard, unspoken, still = rows.values()
    assert set(full) == set(heard) == set(unspoken) == set(still)
    # Without the speaker branch the lips stay and the made-up films' still heads are met.
    assert still["D-A"] == pytest.approx(full["D-A"]) and still["D-Rot"] < 0.01 < full["D-Rot"]
    assert unspoken["D-Rot"] == pytest.approx(full["D-Rot"])
    assert min(full["opening correlation"], heard["opening correlation"]) > 0.1
    # Without the content branch the lips all but stay where they are; what little the speaker branch does is chance.
    prepared = Prepared.load(spoken)
    clip = prepared.clip("clip01")
    motion = predict_clip(prepared, clip, None, "cpu", 0)
    alone = without_content(motion, speaker_lips(prepared, clip, 0, "cpu"))
    spread = [float(opening(FaceMotion.animated(shown).face).std()) for shown in (alone, motion)]
    assert spread[0] < 0.1 * spread[1], spread
    assert heard["D-A"] != pytest.approx(full["D-A"], rel=1e-3) and heard["D-Rot"] == pytest.approx(full["D-Rot"])
    assert main([*command[:3], "--without", "speaker"]) == 0
    assert len(capsys.readouterr().out.split("\n\n")[0].splitlines()) == 3  # names of the metrics, full, without
    assert main(["evaluate", "--set", str(spoken), "--without", "whisper", "--autovc-weights", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err
    assert main(["evaluate", "--voices", str(spoken), "--without", "all"]) == 2


def test_clips_are_said_by_other_voices(prepared, speech_wav, tmp_path, capsys):
    torch.manual_seed(0)
    voice = VoiceConversion(VoiceConfig(width=16, convolutions=1, decoder=16, layers=1, postnet=16)).eval()
    folder = Prepared.load(prepared)
    clip = folder.clip(folder.test[0])
    average = VoiceAverage.of([clip.mel])
    path = tmp_path / "voice.safetensors"
    save_voice(path, VoiceModel(voice, average, TargetVoice(np.zeros(256, np.float32), average)), {})
    (tmp_path / "one.flac").write_bytes(speech_wav.read_bytes())
    voices = CrossVoice(tmp_path, str(path))
    said = voices.convert(folder, clip, 3)
    assert said.mel.shape == clip.mel.shape and not np.allclose(said.mel, clip.mel)
    assert np.array_equal(said.landmarks, clip.landmarks) and said.embedding.any()
    # Whisper hears the other voice, too, whatever a mel tells of it.
    assert len(clip_speech(folder, said).whisper()) == len(clip.mel)
    assert not np.allclose(said.samples[: len(clip.samples)], clip.samples[: len(said.samples)], atol=1e-2)
    found = evaluate.evaluate_set(prepared, cross_voice=voices)
    assert found["rows"]["filmed"]["D-LL"] == 0 and found["part"] == "test"
    with pytest.raises(InputError, match="no recording of a voice"):
        CrossVoice(prepared, str(path))
    assert main(["evaluate", "--voices", str(prepared), "--said-by", str(tmp_path)]) == 2
    assert "--set" in capsys.readouterr().err


def test_validation_clips_stand_in_for_test_clips(tmp_path):
    for seed in range(3):
        talking(seed).save(tmp_path)
    Prepared(tmp_path, "grid", ["clip00", "clip01"], ["clip02"], [], {}).save()
    found = evaluate.evaluate_set(tmp_path)
    assert found["part"] == "validation" and list(found["each"]) == ["clip02"]


def test_a_set_needs_test_clips(tmp_path):
    with pytest.raises(InputError, match="not a prepared data set"):
        evaluate.evaluate_set(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    talking(0).save(empty)
    Prepared(empty, "grid", ["clip00"], [], [], {}).save()
    with pytest.raises(InputError, match="no test clips"):
        evaluate.evaluate_set(empty)


@pytest.mark.parametrize(
    "arguments", [[], ["a.npz"], ["--set", "x", "--voices", "y"], ["a.npz", "b.npz", "--set", "x"]]
)
def test_evaluate_wants_one_thing_to_measure(arguments, capsys):
    assert main(["evaluate", *arguments]) == 2
    assert "give one of them" in capsys.readouterr().err


def test_recordings_are_measured_without_faces(speech_wav, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MAKEITTALK_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "voices"
    folder.mkdir()
    (folder / "one-1.flac").write_bytes(speech_wav.read_bytes())
    (folder / "notes.txt").write_text("no sound")
    plot = tmp_path / "voices.png"
    assert main(["evaluate", "--voices", str(folder), "--json", "--plot", str(plot)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert found["clips"] == 1 and found["skipped"] == {}
    rows = found["rows"]
    assert rows["animation"]["closure score"] > 1.0 and rows["animation"]["P B M shut"] > 0.7
    assert rows["loudness"]["closure score"] is not None and rows["loudness"]["P B M shut"] is None
    assert rows["animation"]["false closures"] >= 0.0 and rows["animation"]["F V gap"] < 1.0
    assert found["speeds"]["62.5 fps"]["fastest"] >= found["speeds"]["62.5 fps"]["50 %"] > 0.0
    assert found["heads"]["animation"]["slow power"] > 0.8
    # What was recognised once is read again, and what was kept is what is believed.
    [kept] = (tmp_path / "cache").rglob("*.json")
    kept.write_text('[[0.0, 0.5, "SIL"]]')
    with pytest.raises(InputError, match="holds no phones"):
        phone_files.read_phones(_broken(tmp_path))
    again = recordings.evaluate_recordings(folder)
    assert again["rows"]["animation"]["closure score"] is None


def test_recordings_with_transcripts_are_aligned_and_others_left_out(speech_wav, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MAKEITTALK_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "voices"
    folder.mkdir()
    text = speech_wav.with_name("speech.txt").read_text().strip()
    rows = [("1-1", -0.2, text), ("2-1", -0.5, text), ("3-1", -0.2, " ".join(text.split()[:12]))]
    lines = ["file\tmean_logprob\ttext", *(f"{name}\t{logprob}\t{said}" for name, logprob, said in rows)]
    (folder / "transcripts.tsv").write_text("\n".join(lines))
    for name, _, _ in rows:
        (folder / f"{name}.flac").write_bytes(speech_wav.read_bytes())
    assert main(["evaluate", "--voices", str(folder)]) == 0
    told = capsys.readouterr()
    assert "P B M shut" in told.out and "narrowing" in told.out and "24 fps" in told.out
    left_out = [line for line in told.err.splitlines() if line.startswith("left out")]
    assert len(left_out) == 2 and "2-1: Its transcript is unsure" in left_out[0] and "3-1: " in left_out[1]
    [kept] = (tmp_path / "cache").rglob("*.json")
    assert [name for _, _, name in phone_files.read_phones(kept) if name in ("P", "B", "M")] == list("MMMBPPM")


def _broken(folder: Path) -> Path:
    path = folder / "broken.json"
    path.write_text('{"phones": 3}')
    return path


def test_held_out_voices_are_a_fifth_of_the_speakers(speech_wav, tmp_path, monkeypatch):
    monkeypatch.setenv("MAKEITTALK_CACHE", str(tmp_path / "cache"))
    for speaker in range(5):
        (tmp_path / f"{speaker}-1.flac").write_bytes(speech_wav.read_bytes())
    seen = []
    monkeypatch.setattr(
        phone_files, "cached_phones", lambda path, _make: seen.append(path) or [(0.1, 0.4, "AA"), (0.5, 0.6, "P")]
    )
    found = recordings.evaluate_recordings(tmp_path, held_out=True)
    assert len(found["each"]) == 1 and len(seen) == 1


def test_a_folder_without_speech_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("MAKEITTALK_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="no recordings"):
        recordings.evaluate_recordings(tmp_path)


def test_phones_of_a_prepared_set(speech_wav, prepared, tmp_path):
    names = Prepared.load(prepared).test
    (tmp_path / "audio").mkdir()
    (tmp_path / "align").mkdir()
    (tmp_path / "audio" / f"{names[0]}.flac").write_bytes(speech_wav.read_bytes())
    words = speech_wav.with_name("speech.txt").read_text().lower()
    rows = ["".join(c for c in word if c.isalpha() or c == "'") for word in words.split()]
    lines = ["0 10 sil", *(f"0 10 {word}" for word in rows), "0 10 sp"]
    (tmp_path / "align" / f"{names[0]}.align").write_text("\n".join(lines))
    other = write_clips(tmp_path / "other") if (tmp_path / "other").mkdir() is None else None
    phone_files.prepare_phones(tmp_path, other)
    found = phone_files.clip_phones(Prepared.load(other), names[0])
    assert {"P", "B", "M"} <= {name for _, _, name in found}
    assert max(end for _, end, _ in found) <= load_audio(speech_wav).seconds + 0.1
    assert phone_files.clip_phones(Prepared.load(other), names[1]) == []
    with pytest.raises(InputError, match="no sound of a clip"):
        phone_files.prepare_phones(tmp_path / "align", other)
