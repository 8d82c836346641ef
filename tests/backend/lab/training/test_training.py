"""Training, preparing and evaluating, on data small enough to see through."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from made_clips import talking, write_clips, write_config
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.ibug68 import JAW, LIPS, MIRROR
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.registration import resample_landmarks
from makeittalk.networks.content_inference import load_content
from makeittalk_lab.data import augment
from makeittalk_lab.data.augment import Augment
from makeittalk_lab.data.clips import split_names
from makeittalk_lab.data.phones import PHONES, Aligner, phone_track
from makeittalk_lab.evaluation import evaluate, metrics
from makeittalk_lab.losses.landmark_loss import LandmarkLoss, LandmarkLossWeights, laplacian_matrix
from makeittalk_lab.prepare.facegood import prepare_facegood, validation_recordings
from makeittalk_lab.prepare.grid import prepare_grid
from makeittalk_lab.synthetic.phone_motion import learn_phone_motion
from makeittalk_lab.training.train import train
from project import ASSETS, DATA

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    return write_clips(tmp_path_factory.mktemp("prepared"))


def test_splits_keep_test_clips_out():
    names = [f"c{i}" for i in range(100)]
    train, validation, test = split_names(names, {"c1", "c2", "gone"})
    assert test == ["c1", "c2"] and len(validation) == 9
    assert sorted(train + validation + test) == sorted(names)


def test_a_small_network_learns_a_small_world(prepared, tmp_path):
    out = train("content", write_config(tmp_path, prepared))
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log] == list(range(1, 121))
    assert log[-1]["loss"] < 0.15 * log[0]["loss"]
    assert log[-1]["validation"]["opening correlation"] > 0.9
    meta = load_content(str(out / "content.safetensors"))
    assert meta.branch.config.hidden == 32
    # What was learnt is what `evaluate` measures, on clips that were never seen, better than doing nothing.
    plot = tmp_path / "opening.png"
    rows = evaluate.evaluate_set(prepared, str(out / "content.safetensors"), plot=plot)["rows"]
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert rows["prediction"]["opening correlation"] > 0.9
    assert rows["prediction"]["D-A"] < 0.4 * rows["static"]["D-A"]
    assert rows["static"]["opening correlation"] == 0


def test_a_run_can_start_from_another(prepared, tmp_path):
    first = tmp_path / "first"
    first.mkdir()
    train("content", write_config(first, prepared, steps=40))
    path = write_config(tmp_path, prepared, steps=1)
    text = path.read_text()
    path.write_text(f'start = "{(first / "out").as_posix()}"\n' + text)
    train("content", path)
    fresh, more = (json.loads((folder / "out/log.jsonl").read_text().split("\n")[0]) for folder in (first, tmp_path))
    assert more["loss"] < 0.5 * fresh["loss"]
    path.write_text(f'start = "{tmp_path.as_posix()}"\n' + text.replace("/out", "/other"))
    with pytest.raises(InputError, match="no checkpoint to start from"):
        train("content", path)


def test_data_that_was_not_prepared_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a prepared data set"):
        train("content", write_config(tmp_path, tmp_path))
    with pytest.raises(InputError, match="not a prepared data set"):
        evaluate.evaluate_set(tmp_path)


def test_laplacian_ignores_a_part_that_moves_as_one():
    matrix = laplacian_matrix()
    shift = np.zeros((68, 3))
    shift[LIPS] = shift[JAW] = (1, 2, 3)
    assert np.abs(matrix @ shift).max() < 1e-6
    shift[66, 1] += 3
    assert (matrix @ shift)[66, 1] == pytest.approx(3)
    assert (matrix @ shift)[65, 1] == pytest.approx(-1.5)


def test_loss_is_least_for_the_truth_and_minds_shut_lips():
    loss = LandmarkLoss(LandmarkLossWeights())
    face = torch.tensor(MEAN_FACE, dtype=torch.float32)[None]
    shut = face.clone()
    shut[:, [65, 66, 67]] = shut[:, [63, 62, 61]]
    motion, mask = torch.zeros(1, 4, 68, 3), torch.ones(1, 4)
    assert loss(motion, motion, shut, mask)["loss"] == 0
    error = motion.clone()
    error[:, :, 66, 1] = 0.02
    opened = motion.clone()
    opened[:, :, [65, 66, 67], 1] = 0.2
    on_shut, on_open = loss(error, motion, shut, mask), loss(error + opened, opened, shut, mask)
    assert on_shut["distance"] == pytest.approx(on_open["distance"].item(), rel=1e-4)
    assert on_shut["gap"] > 3 * on_open["gap"]
    masked = loss(error, motion, shut, torch.zeros(1, 4))
    assert masked["loss"] == 0


def test_warping_moves_a_formant():
    centres = augment.band_centres()
    assert np.abs(augment.warp_matrix(1.0) - np.eye(80)).max() < 1e-5
    mel = np.exp(-(((centres - 2000) / 200) ** 2))[None]
    for factor in (0.8, 1.25):
        peak = centres[int(np.argmax(mel @ augment.warp_matrix(factor)))]
        assert peak == pytest.approx(2000 * factor, rel=0.05)


def test_noise_fills_pauses_and_spares_speech():
    rng = np.random.default_rng(0)
    mel = np.full((200, 80), -0.16, np.float32)
    mel[:100] = 0.5
    noisy = augment.add_noise(mel, 30.0, rng)
    assert np.abs(noisy[:100] - 0.5).max() < 0.1
    assert noisy[100:].mean() == pytest.approx(0.2, abs=0.08)


def test_pauses_rest():
    rng = np.random.default_rng(1)
    clip = talking(1)
    mel, motion = augment.pad_pauses(clip.mel, clip.landmarks - clip.neutral + 1, Augment(pause=50), rng)
    added = (motion == 0).all((1, 2))
    assert len(mel) == len(motion) == len(clip.mel) + added.sum() and added.any()
    assert mel[added].mean() < clip.mel.mean()


def test_a_mirrored_face_moves_as_in_a_mirror():
    face = MEAN_FACE.astype(np.float32)
    motion = np.random.default_rng(0).normal(size=(5, 68, 3)).astype(np.float32)
    options = Augment(mirror=1.0, shape=0.0, identity=0.0)
    other, moved = augment.vary_face(face, motion, options, np.random.default_rng(0))
    assert np.abs(other - face).max() < 1e-5  # the mean face is symmetric
    assert np.abs((other + moved) - ((face + motion) * (-1, 1, 1))[:, MIRROR]).max() < 1e-5
    assert moved[0, 48, 0] == -motion[0, 54, 0]


@pytest.fixture
def films(tmp_path) -> Path:
    """A GRID-like folder; its "films" are read by `fake_track`."""
    source = tmp_path / "films"
    for part in ("video", "audio"):
        (source / part).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("aa", "bb", "cc", "lost"):
        (source / "video" / f"{name}.mp4").write_bytes(b"film")
        soundfile.write(source / "audio" / f"{name}.flac", 0.1 * rng.normal(size=32_000), 16_000)
    (source / "test.txt").write_text("bb\n")
    return source


def fake_track(path, _progress):
    clip = talking(7)
    landmarks = resample_landmarks(clip.landmarks, 62.5, 25.0)
    turn = np.linspace(0, 20, len(landmarks))[:, None, None]
    landmarks = landmarks + turn * (1, 0, 0)
    if path.stem == "lost":
        landmarks[5] = np.nan
    return landmarks.astype(np.float32), 25.0, (288, 288)


def test_grid_is_prepared_once(films, tmp_path):
    seen = []

    def track(path, progress):
        seen.append(path.stem)
        return fake_track(path, progress)

    prepared = prepare_grid(films, tmp_path / "out", track=track)
    assert seen == ["aa", "bb", "cc", "lost"]
    assert prepared.test == ["bb"] and prepared.train == ["aa", "cc"] and list(prepared.skipped) == ["lost"]
    clip = prepared.clip("aa")
    assert abs(len(clip.mel) - 123) <= 2 and clip.pitch_shifted is not None
    steady = clip.landmarks[:, 27:31] - clip.neutral[27:31]
    assert np.abs(steady).max() < 0.1  # the sway was removed …
    assert np.ptp(clip.posed[:, 30, 0]) > 15  # … and kept beside it
    assert np.load(tmp_path / "out/speaker.npz")["speaker_embedding"].shape == (256,)
    seen.clear()
    assert prepare_grid(films, tmp_path / "out", track=track).train == prepared.train
    assert seen == ["lost"]


def test_a_folder_without_films_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no video"):
        prepare_grid(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="holds no recordings"):
        prepare_facegood(tmp_path, tmp_path / "out")


def test_facegood_curves_move_an_ict_head(tmp_path):
    source = tmp_path / "facegood"
    source.mkdir()
    neutral = (MEAN_FACE * 5 * (1, -1, -1)).astype(np.float32)
    expressions = np.zeros((2, 68, 3), np.float16)
    expressions[0, 66, 1] = -2  # jawOpen: two centimetres down
    expressions[1, 48, 0] = 1  # mouthPucker
    np.savez(
        source / "ict_facekit.npz",
        neutral=neutral,
        landmarks68=np.arange(68),
        expression_names=np.array(["jawOpen", "mouthPucker"]),
        expressions=expressions,
        identities=np.zeros((3, 68, 3), np.float16),
    )
    rules = {
        "jawOpen": {"max_of": ["jaw"], "mouth_data": True},
        "mouthPucker": {"max_of": ["left", "right"], "mouth_data": True},
        "eyeBlinkLeft": {"max_of": ["jaw"], "mouth_data": False},
    }
    (source / "channels.json").write_text(json.dumps({"fps": 30, "channels": ["jaw", "left", "right"], "arkit": rules}))
    curves = np.zeros((60, 3), np.float32)
    curves[30:, 0], curves[:, 2] = 0.5, 1.0
    np.savez(source / "one.npz", weights=curves)
    soundfile.write(source / "one.flac", 0.1 * np.random.default_rng(0).normal(size=32_000), 16_000)
    prepared = prepare_facegood(source, tmp_path / "out")
    clip = prepared.clip("one_0")
    moved = clip.landmarks - clip.neutral
    assert moved[100, 66] == pytest.approx((0, 10, 0), abs=0.01)  # half of 2 cm at 10 px/cm, downwards
    assert moved[0, 66] == pytest.approx((0, 0, 0), abs=0.01)
    assert moved[:, 48, 0] == pytest.approx(np.full(len(moved), 10), abs=0.01)


def test_whole_recordings_are_held_out():
    """All heads of a recording share one sound: to learn from one and validate on another would prove nothing."""
    assert validation_recordings(["a_1_02", "a_1_01", "b_7_05", "b_7_06", "c_0_01"]) == {"a_1_02", "b_7_06"}


def test_phones_fill_their_frames():
    track = phone_track([(0.0, 0.1, "SIL"), (0.1, 0.2, "B"), (0.2, 9.0, "AA")], 20, 62.5)
    assert track.tolist() == [0] * 6 + [PHONES.index("B")] * 6 + [PHONES.index("AA")] * 8


def test_motion_is_learnt_from_phones():
    """A mouth that opens on AA and shuts on B, heard nowhere: phones alone must move it."""
    clips, tracks = [], []
    for seed in range(12):
        clip = talking(seed)
        opened = metrics.opening(clip.landmarks) > metrics.opening(clip.neutral[None]) + 3
        tracks.append(np.where(opened, PHONES.index("AA"), PHONES.index("B")))
        clips.append(clip)
    mouth = learn_phone_motion(clips[1:], tracks[1:], steps=40)
    with torch.inference_mode():
        moved = mouth.network(torch.from_numpy(tracks[0])[None])[0].numpy()
    found = metrics.opening(mouth.face + moved)
    assert np.corrcoef(found, metrics.opening(clips[0].landmarks))[0, 1] > 0.9


def test_words_are_aligned():
    pytest.importorskip("pocketsphinx")
    if not (ASSETS / "speech.flac").is_file():
        pytest.skip("the demo recording is missing")
    from makeittalk.audio.loading import load_audio

    words = "".join(c for c in (ASSETS / "speech.txt").read_text().lower() if c.isalpha() or c in " '")
    phones = Aligner().align(load_audio(ASSETS / "speech.flac").samples, words)
    assert {"M", "P", "B"} <= {name for _, _, name in phones}
    assert all(start < end for start, end, _ in phones)
    assert Aligner().align(np.zeros(16_000, np.float32), "qqqq zzzz") == []


@pytest.mark.data
def test_shipped_weights_move_real_lips(tmp_path):
    """Films that were never trained on, tracked here and measured by `evaluate` with the shipped weights."""
    source = DATA / "grid_s1"
    if not source.is_dir():
        pytest.skip("MAKEITTALK_DATA does not name the training data")
    test = (source / "test.txt").read_text().split()
    other = sorted(path.stem for path in (source / "video").glob("*.mp4") if path.stem not in test)
    for part, suffix in (("video", "mp4"), ("audio", "flac")):
        (tmp_path / "grid" / part).mkdir(parents=True)
        for name in test[:8] + other[:6]:
            shutil.copy(source / part / f"{name}.{suffix}", tmp_path / "grid" / part)
    shutil.copy(source / "test.txt", tmp_path / "grid")
    prepare_grid(tmp_path / "grid", tmp_path / "prepared")
    rows = evaluate.evaluate_set(tmp_path / "prepared")["rows"]
    spoken, loud, still = rows["prediction"], rows["loudness"], rows["static"]
    assert spoken["opening correlation"] > 0.85 > loud["opening correlation"]
    for name in ("D-LL", "D-VL", "D-A"):
        assert spoken[name] < loud[name] and spoken[name] < still[name]
