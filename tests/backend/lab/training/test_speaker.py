"""The speaker-aware branch: what it hears, what its targets are, how it learns, and what is shown of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from makeittalk.animation.blinks import DEPTH
from makeittalk.animation.head_motion import take_apart
from makeittalk.animation.predict import PredictOptions, predict_motion
from makeittalk.audio.loading import Audio, load_audio
from makeittalk.audio.pitch import fundamental
from makeittalk.audio.prosody import prosody_track
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Face, Motion
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks.noise import BANDS, BLINK, NOISE, SWAY, noise_track
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.speaker import SpeakerBranch, SpeakerConfig
from makeittalk.networks.speaker_inference import SpeakerModel, load_speaker, save_speaker, speaker_displacement
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.poisson_disk import poisson_disk
from makeittalk_lab.evaluation import awareness
from makeittalk_lab.prepare.heads import prepare_heads
from makeittalk_lab.prepare.voxceleb2 import QUALITY, prepare_voxceleb2
from makeittalk_lab.synthetic.head_style import TRAITS, HeadStyles
from makeittalk_lab.synthetic.head_targets import head_target, stressed_syllables
from makeittalk_lab.training.speaker import SpeakerTrainingConfig
from makeittalk_lab.training.train import train
from project import CONFIGS
from safetensors.torch import load_file


def voice_like(hertz: np.ndarray) -> np.ndarray:
    """A buzz of ten harmonics whose F0 (n,) may glide; silent where it is 0."""
    phase = 2.0 * np.pi * np.cumsum(hertz) / SAMPLE_RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 11))
    return (0.1 * buzz * (hertz > 0)).astype(np.float32)


def syllables(seconds: float) -> np.ndarray:
    """Prosody (T, 3) of a voice that stresses a syllable every 0.5 s and pauses in the last third."""
    time = np.arange(int(seconds * FRAME_RATE)) / FRAME_RATE
    speaks = time < 2.0 * seconds / 3.0
    loudness = speaks * (0.55 + 0.45 * np.cos(2.0 * np.pi * 2.0 * (time - 0.25)))
    return np.stack([loudness, np.zeros_like(time), speaks], axis=1).astype(np.float32)


@pytest.mark.parametrize("hertz", [85.0, 130.0, 210.0, 330.0])
def test_pitch_of_a_voice_is_found_without_octave_errors(hertz: float) -> None:
    glide = np.linspace(hertz, 1.25 * hertz, 2 * SAMPLE_RATE)
    samples = voice_like(np.concatenate([np.zeros(SAMPLE_RATE // 2), glide, np.zeros(SAMPLE_RATE // 2)]))
    noise = 0.003 * np.random.default_rng(0).standard_normal(len(samples))
    pitch, periodic = fundamental((samples + noise).astype(np.float32))
    at = np.arange(len(pitch)) / FRAME_RATE
    inside = (at > 0.6) & (at < 2.4)
    true = np.interp(at - 0.5, [0.0, 2.0], [hertz, 1.25 * hertz])
    assert (np.abs(np.log2(pitch[inside] / true[inside])) < 0.03).mean() > 0.97
    assert not pitch[(at < 0.4) | (at > 2.6)].any()
    assert periodic[inside].mean() > 0.9


def test_prosody_is_free_of_speaker_and_silent_in_silence() -> None:
    contour = 1.0 + 0.2 * np.sin(2.0 * np.pi * 0.7 * np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE)
    low, high = (prosody_track(voice_like(base * contour)) for base in (100.0, 200.0))
    assert low.shape == (188, 3)
    assert np.corrcoef(low[:, 1], high[:, 1])[0, 1] > 0.98
    assert np.abs(low[:, 1] - high[:, 1])[5:-5].max() < 0.5
    assert not prosody_track(np.zeros(SAMPLE_RATE, np.float32)).any()


def test_noise_is_slow_seeded_and_does_not_depend_on_the_length() -> None:
    long = noise_track(3, 6000)
    assert np.allclose(long[:500], noise_track(3, 500), atol=1e-6)
    assert not np.allclose(long[:500, SWAY], noise_track(4, 500)[:, SWAY], atol=0.1)
    assert np.abs(long[:, SWAY].std(0) - 1.0).max() < 0.2
    frequency = np.fft.rfftfreq(6000, 1.0 / FRAME_RATE)
    for channel, band in enumerate(BANDS):
        power = np.abs(np.fft.rfft(long[:, channel])) ** 2
        assert (power * frequency).sum() / power.sum() == pytest.approx(band, rel=0.25)
    assert long[:, BLINK].min() == 0.0 and long[:, BLINK].max() <= 1.0
    assert noise_track(3, 0).shape == (0, NOISE)


def head_styles() -> tuple[HeadStyles, np.ndarray]:
    voices = np.abs(np.random.default_rng(1).standard_normal((60, 256)))
    voices /= np.linalg.norm(voices, axis=1, keepdims=True)
    return HeadStyles.fit(voices), voices


def test_like_voices_have_like_manners_and_others_others() -> None:
    known, voices = head_styles()
    trait = np.array([known.traits(voice) for voice in voices])
    near = np.array([known.traits(voice + 0.001) for voice in voices])
    assert trait.shape == (60, TRAITS) and np.abs(trait - near).max() < 0.1
    assert (trait.std(0) > 0.2).all()
    assert (known.traits(np.zeros(256)) == 0.5).all()


def test_a_head_follows_the_voice_and_settles_in_pauses() -> None:
    known, voices = head_styles()
    prosody = syllables(30.0)
    beats = stressed_syllables(prosody[:, 0], prosody[:, 1])
    times = np.flatnonzero(beats) / FRAME_RATE
    assert len(times) == 40 and np.abs((times - 0.25) / 0.5 - np.round((times - 0.25) / 0.5)).max() < 0.05
    noise = noise_track(0, len(prosody))
    for voice in voices[:8]:
        manner = known.of(voice)
        target = head_target(prosody, noise, manner)
        degrees = np.degrees(target.rotation)
        speed = np.linalg.norm(np.diff(degrees, axis=0), axis=1) * FRAME_RATE
        talking, pausing = speed[: len(speed) * 2 // 3 - 60], speed[len(speed) * 2 // 3 + 60 :]
        assert 0.1 * talking.mean() < pausing.mean() < 0.7 * talking.mean()
        assert speed.max() < 150.0
        # What is left when chance is taken out moves with the syllables, down or up as the manner says.
        still = head_target(prosody, 0.0 * noise, manner)
        nods = still.rotation[: len(prosody) * 2 // 3, 0]
        assert np.sign(np.corrcoef(nods, beats[: len(nods)])[0, 1]) == np.sign(manner.nod) or abs(manner.nod) < 0.01
        assert still.brows.max() > 0.5 * manner.brow and target.lids.max() <= DEPTH


def test_the_head_is_taken_apart_as_it_was_put_together() -> None:
    known, voices = head_styles()
    prosody = syllables(12.0)
    target = head_target(prosody, noise_track(5, len(prosody)), known.of(voices[3]))
    face = np.asarray(MEAN_FACE, np.float64)
    delta = target.landmarks(face) - face
    delta[:, 48:68, 1] += 0.05 * prosody[:, :1]  # the lips speak, and must turn nothing
    parts = take_apart(delta.astype(np.float32), face)
    assert np.degrees(np.abs(parts.rotation - target.rotation)).max() < 0.3
    assert np.abs(parts.translation - target.translation).max() < 0.01
    assert not parts.brows[:, 48:68].any()
    lifted = -parts.brows[:, 19, 1]
    assert np.corrcoef(lifted, target.brows)[0, 1] > 0.95
    blinks = (target.lids[1:] > 0.4) & (target.lids[:-1] <= 0.4)
    shown = (parts.blink[1:] > 0.4) & (parts.blink[:-1] <= 0.4)
    assert blinks.sum() == shown.sum() > 2


def test_poisson_disk_keeps_speakers_apart() -> None:
    points = np.random.default_rng(0).random((200, 3))
    chosen = poisson_disk(points, radius=0.2)
    distance = np.linalg.norm(points[chosen][:, None] - points[chosen][None], axis=2)
    assert distance[~np.eye(len(chosen), dtype=bool)].min() > 0.2
    others = np.setdiff1d(np.arange(200), chosen)
    assert np.linalg.norm(points[others][:, None] - points[chosen][None], axis=2).min(1).max() <= 0.2
    assert len(poisson_disk(points, count=30)) == 30
    few = points[poisson_disk(points, count=30)]
    apart = np.linalg.norm(few[:, None] - few[None], axis=2)
    assert np.sort(apart, axis=1)[:, 1].min() > 0.1
    assert len(poisson_disk(points)) == 200 and len(poisson_disk(points[:5], count=9)) == 5


def small(streaming: bool = True, **more: object) -> SpeakerBranch:
    torch.manual_seed(0)
    shape = dict(inputs=12, hidden=16, layers=1, feed_forward=32, attention=64, noise=NOISE, mlp=(32,), **more)
    return SpeakerBranch(SpeakerConfig(streaming=streaming, **shape)).eval()


@pytest.mark.parametrize("streaming", [True, False])
def test_long_recordings_join_without_a_seam(streaming: bool) -> None:
    branch = small(streaming)
    rng = np.random.default_rng(0)
    features = np.cumsum(rng.standard_normal((700, 12)), axis=0).astype(np.float32) / 20.0
    noise, voice, face = noise_track(1, 700), rng.random(256), np.asarray(MEAN_FACE)
    moved = speaker_displacement(branch, features, voice, face, noise)
    assert moved.shape == (700, 204)
    bend = np.abs(np.diff(moved, n=2, axis=0)).mean(1)
    joins = np.arange(32, 690, 32)
    near = np.concatenate([joins - 2, joins - 1, joins])
    assert bend[near].mean() < 1.3 * np.delete(bend, near).mean()
    # What comes long after a frame does not change it, however much comes.
    assert np.allclose(moved[:500], speaker_displacement(branch, features[:640], voice, face, noise)[:500], atol=1e-5)
    for frames in (1, 5, 63, 64, 65, 97):
        short = speaker_displacement(branch, features[:frames], voice, face, noise[:frames])
        assert short.shape == (frames, 204) and np.isfinite(short).all()
    assert speaker_displacement(branch, features[:0], voice, face, noise[:0]).shape == (0, 204)


def test_no_voice_is_the_mean_voice() -> None:
    branch = small(centred=True)
    branch.voice_mean.copy_(torch.rand(256))
    assert torch.equal(branch.code(torch.zeros(1, 256)), branch.code(branch.voice_mean[None]))


def test_weights_keep_the_branch_and_damage_is_told(tmp_path: Path) -> None:
    branch = small(centred=True)
    average = VoiceAverage(np.zeros(80, np.float32), np.ones(80, np.float32))
    path = tmp_path / "speaker.safetensors"
    save_speaker(path, SpeakerModel(branch, average, "mel"), {"steps": "0"})
    loaded = load_speaker(str(path))
    assert loaded.features == "mel" and loaded.branch.config == branch.config
    for name, value in branch.state_dict().items():
        assert torch.allclose(loaded.branch.state_dict()[name], value, atol=1e-3), name
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError):
        load_speaker(str(path))


def test_voices_are_found_by_their_manner_and_motion_by_its_audio() -> None:
    known, voices = head_styles()
    prosodies = [syllables(7.0 + 0.1 * k) * np.float32([1.0, 0.0, 1.0]) for k in range(12)]
    rng = np.random.default_rng(0)
    for prosody in prosodies:  # pauses of their own
        start = int(rng.integers(40, 200))
        prosody[start : start + 90] = 0.0
    turns = [
        [np.degrees(head_target(p, noise_track(2 * k + s, len(p)), known.of(voices[k])).rotation) for s in (0, 1)]
        for k, p in enumerate(prosodies)
    ]
    first, second = (np.array([awareness.traits(pair[s]) for pair in turns]) for s in (0, 1))
    assert awareness.rank_one_accuracy(first, second) > 0.4
    assert awareness.rank_one_accuracy(first, np.random.default_rng(1).permutation(second)) < 0.3
    fits = np.array([[awareness.prosody_fit(pair[0], prosody) for prosody in prosodies] for pair in turns])
    assert awareness.permutation_test(fits) < 0.01
    assert awareness.permutation_test(np.random.default_rng(2).permutation(fits)) > 0.01


CONFIG = """
data = ["{data}"]
out = "{out}"
hears = "mel"
steps = {steps}
batch = 2
learning_rate = 1e-3
warmup = 1
validate_every = 2
checkpoint_every = 2
threads = 1
[network]
streaming = true
centred = true
hidden = 16
layers = 1
attention = 64
feed_forward = 32
mlp = [32]
[critic]
attention = 64
feed_forward = 32
[loss]
velocity = 1.0
"""


@pytest.fixture(scope="module")
def heads(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Constructed heads on a few voices."""
    root = tmp_path_factory.mktemp("heads")
    (root / "voices").mkdir()
    for recording in sorted((data_dir / "librispeech").glob("*.flac"), key=lambda path: path.stat().st_size)[:25]:
        (root / "voices" / recording.name).symlink_to(recording)
    prepare_heads(root / "voices", root / "heads", variants=1)
    return root / "heads"


def test_constructed_heads_are_clips_with_head_motion(heads: Path) -> None:
    prepared = Prepared.load(heads)
    speakers = [{name.partition("-")[0] for name in part} for part in (prepared.train, prepared.validation)]
    assert prepared.kind == "heads" and len(prepared.test) == 5 and not speakers[0] & speakers[1]
    clip = prepared.clip(prepared.train[0])
    assert clip.embedding is not None and clip.prosody is not None
    moved = np.linalg.norm(clip.posed - clip.neutral, axis=2)
    assert moved[:, 48:68].std() > 0.3  # px: the whole face moves with the head
    assert np.abs(clip.landmarks[:, 48:68] - clip.neutral[48:68]).max() < 1e-3  # registered, lips rest


def test_a_killed_training_goes_on_to_the_same_end(heads: Path, tmp_path: Path) -> None:
    def run(name: str, steps: int) -> Path:
        path = tmp_path / f"{name}.toml"
        path.write_text(CONFIG.format(data=heads, out=tmp_path / name, steps=steps))
        return path

    class Killed(Exception):
        pass

    def kill(fraction: float, _stage: str) -> None:
        if fraction > 0.7:
            raise Killed

    whole = train("speaker", run("whole", 4))
    with pytest.raises(Killed):
        train("speaker", run("halves", 4), kill)
    assert not (tmp_path / "halves" / "speaker.safetensors").exists()
    train("speaker", run("halves", 4))
    first, second = (load_file(tmp_path / name / "speaker.safetensors") for name in ("whole", "halves"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    entries = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert len(entries) == 4 and {"distance", "correlation"} <= set(entries[-1]["validation"])
    assert {"discriminator/loss", "generator/loss", "generator/realism"} <= set(entries[0])


@pytest.mark.slow
def test_voxceleb2_becomes_clips_and_trains(data_dir: Path, tmp_path: Path) -> None:
    films = sorted((data_dir / "grid_s1" / "video").glob("*.mp4"))[:6]
    for number, film in enumerate(films):
        folder = tmp_path / "vox" / "dev" / "mp4" / f"id{number % 5:05d}" / "aB-c_d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05d}.mp4").symlink_to(film)
        (folder / f"{number:05d}.flac").symlink_to(data_dir / "grid_s1" / "audio" / f"{film.stem}.flac")
    (folder / "00009.mp4").write_bytes(b"no film")
    prepared = prepare_voxceleb2(tmp_path / "vox", tmp_path / "dest")
    assert (len(prepared.train), len(prepared.validation), len(prepared.test)) in {(4, 1, 1), (3, 2, 1), (3, 1, 2)}
    assert list(prepared.skipped) == ["id00000-aB-c_d-00009"]
    quality = json.loads((tmp_path / "dest" / QUALITY).read_text())
    assert len(quality) == 6 and all(0.0 < row["jitter"] < 1.5 for row in quality.values())
    clip = prepared.clip(prepared.train[0])
    assert np.linalg.norm(clip.posed - clip.landmarks, axis=2).mean() > 0.05  # px: pose was kept
    assert clip.embedding is not None and clip.embedding.any()
    again = prepare_voxceleb2(tmp_path / "vox", tmp_path / "dest", speakers=3, clips=1)
    assert len(again.train + again.validation + again.test) == 3
    prepare_voxceleb2(tmp_path / "vox", tmp_path / "dest")
    config = tmp_path / "run.toml"
    text = CONFIG.format(data=tmp_path / "dest", out=tmp_path / "run", steps=2)
    config.write_text('lips = "default"\nmirror = 0.5\nspeakers = 2\n' + text)
    assert (train("speaker", config) / "speaker.safetensors").is_file()


def test_shipped_configurations_can_be_read() -> None:
    for path in CONFIGS.glob("speaker*.toml"):
        config = SpeakerTrainingConfig.load(path)
        assert config.data and config.realism == 0.001 and config.loss.laplacian == 1.0
    paper = SpeakerTrainingConfig.load(CONFIGS / "speaker_paper.toml")
    assert (paper.network.hidden, paper.network.layers, paper.network.attention) == (256, 3, 256)
    assert paper.hears == "code" and not paper.network.streaming


def whole_motion(samples: np.ndarray, seed: int = 0, voice: np.ndarray | None = None) -> Motion:
    """What the product makes of a recording on a mean face."""
    face = Face("portrait.png", 512, 512, (120.0 * MEAN_FACE + [256.0, 220.0, 0.0]).astype(np.float32))
    other = None if voice is None else Audio(voice, voice[:, None], SAMPLE_RATE, len(voice) / SAMPLE_RATE)
    return predict_motion(
        Audio(samples, samples[:, None], SAMPLE_RATE, len(samples) / SAMPLE_RATE), face, PredictOptions(seed), other
    )


def lowered(samples: np.ndarray) -> np.ndarray:
    """The same words by a larger person: played at three quarters of the speed."""
    place = np.arange(0.0, len(samples) - 1.0, 0.75)
    return np.interp(place, np.arange(len(samples)), samples).astype(np.float32)


@pytest.fixture(scope="module")
def speech(speech_wav: Path) -> np.ndarray:
    return load_audio(speech_wav).samples


def test_voice_and_seed_change_the_head_and_only_that(speech: np.ndarray) -> None:
    base, again, other = whole_motion(speech), whole_motion(speech), whole_motion(speech, seed=1)
    voice = whole_motion(speech, voice=lowered(speech))
    for first, second in ((base, other), (base, voice)):
        assert np.array_equal(first.parts.content, second.parts.content)
        assert np.array_equal(first.parts.rest, second.parts.rest)
        assert np.array_equal(first.expression[:, 48:], second.expression[:, 48:])
        assert np.degrees(np.abs(first.head_rotation - second.head_rotation)).max() > 0.5
    assert np.array_equal(base.head_rotation, again.head_rotation) and np.array_equal(
        base.parts.blink, again.parts.blink
    )
    assert not np.array_equal(base.parts.blink, other.parts.blink)


@pytest.mark.parametrize("hiss", [0.0, 1e-3])
def test_silence_leaves_the_head_alive_and_the_brows_at_rest(hiss: float) -> None:
    silence = (hiss * np.random.default_rng(0).standard_normal(25 * SAMPLE_RATE)).astype(np.float32)
    motion = whole_motion(silence)
    spread = np.degrees(motion.head_rotation.std(0))
    assert (spread > 0.2).all() and (spread < 2.5).all()
    assert np.degrees(np.abs(motion.head_rotation.mean(0))).max() < 1.5
    assert motion.parts.blink.max() > 0.5
    assert np.abs(motion.parts.speaker).max() < 3.0  # px: brows rest


def test_a_long_recording_keeps_its_head_up(speech: np.ndarray) -> None:
    pause = np.zeros(SAMPLE_RATE, np.float32)
    motion = whole_motion(np.concatenate([speech, pause] * (1 + 60 * SAMPLE_RATE // (len(speech) + len(pause)))))
    degrees = np.degrees(motion.head_rotation)
    parts = np.array([part.mean(0) for part in np.array_split(degrees, 4)])
    assert np.abs(parts).max() < 2.5  # it drifts nowhere
    assert (degrees.std(0) > 0.8).all() and (degrees.std(0) < 6.0).all()
    speed = np.linalg.norm(np.diff(degrees, axis=0), axis=1) * FRAME_RATE
    joins = np.arange(128, len(speed), 128)
    near = np.concatenate([joins - 1, joins])
    assert speed.max() < 150.0 and speed[near].mean() < 1.3 * np.delete(speed, near).mean()
    blinks = ((motion.parts.blink[1:] > 0.4) & (motion.parts.blink[:-1] <= 0.4)).sum() / (
        len(motion.parts.blink) / FRAME_RATE / 60.0
    )
    assert 6.0 < blinks < 45.0  # a minute


@pytest.mark.slow
def test_the_head_moves_like_the_speaker(data_dir: Path) -> None:
    result = awareness.measure_awareness(data_dir / "librispeech")
    for kind in ("same seed", "different seeds"):
        values = result[kind]
        assert isinstance(values, dict)
        assert values["found first"] >= 0.3 and values["found first over draws"] >= 0.3
        assert values["p"] < 0.01
        assert all(1.0 < spread < 6.0 for spread in values["spread"])
        assert all(share > 0.85 for share in values["slow power"])
        assert values["peak speed"][0] < 150.0
