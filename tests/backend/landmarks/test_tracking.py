"""Landmarks of films whose motion is known."""

from fractions import Fraction

import numpy as np
import pytest
from makeittalk.exchange.errors import Cancelled, InputError
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.tracking import track_video
from media import encode_film, encode_sound
from PIL import Image

SIZE = 320
BLANK = np.full((SIZE, SIZE, 3), 128, np.uint8)


def every(fps, count):
    return [Fraction(i) / Fraction(fps) for i in range(count)]


def sway(time):
    """Where the window over the photo stands: px to the left of its middle."""
    return 24.0 * np.sin(2 * np.pi * 0.7 * np.asarray(time, float))


@pytest.fixture(scope="module")
def still(astronaut):
    return Image.open(astronaut).convert("RGB").resize((480, 480), Image.Resampling.LANCZOS)


@pytest.fixture(scope="module")
def film(still):
    """A frame of the film at a time: a window that sways over the photo."""

    def frame(time):
        left = 100 - sway(float(time))
        box = (left, 10, left + SIZE, 10 + SIZE)
        return np.array(still.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=box))

    return frame


@pytest.fixture(scope="module")
def steady(film, tmp_path_factory):
    """A second and a half at 25 frames a second, tracked."""
    path = tmp_path_factory.mktemp("film") / "steady.mp4"
    times = every(25, 38)
    encode_film(path, [film(t) for t in times], times)
    return path, *track_video(path)


def follows(landmarks, fps, margin=0.02):
    """The face moves by the known sway and by nothing else."""
    width = np.linalg.norm(landmarks[0, 0] - landmarks[0, 16])
    middle = landmarks[:, :, :2].mean(1)
    moved = middle - middle[0]
    expected = sway(np.arange(len(landmarks)) / fps)
    error = np.abs(moved[:, 0] - expected)
    assert error.mean() < margin * width and np.abs(moved[:, 1]).max() < margin * width
    # Half of the sway is 10 % of the face: tracking nothing would fail.
    assert np.ptp(middle[:, 0]) > 0.8 * np.ptp(expected)


def test_shape_and_motion(steady):
    _, landmarks, fps, size = steady
    assert landmarks.shape == (38, 68, 3) and landmarks.dtype == np.float32
    assert fps == 25.0 and size == (SIZE, SIZE)
    np.testing.assert_allclose(landmarks[:, 0, 2] + landmarks[:, 16, 2], 0, atol=1e-3)
    follows(landmarks, fps)


def test_agrees_with_stills(steady, film):
    """Stills and films have the same points in the same convention."""
    _, landmarks, _, _ = steady
    expected = detect_landmarks(film(20 / 25)).landmarks
    width = np.linalg.norm(expected[0] - expected[16])
    error = np.abs(landmarks[20] - expected) / width
    assert error[:, :2].mean() < 0.01 and error[:, 2].mean() < 0.03


def test_progress_and_cancel(steady):
    seen = []
    track_video(steady[0], lambda fraction, stage: seen.append((fraction, stage)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(seen) == 38

    def stop(_fraction, _stage):
        raise Cancelled

    with pytest.raises(Cancelled):
        track_video(steady[0], stop)


def test_variable_frame_rate_becomes_constant(film, tmp_path):
    """Every third frame is left out: the answer stands at even times all the same."""
    times = [time for i, time in enumerate(every(30, 45)) if i % 3 != 1]
    encode_film(tmp_path / "a.mp4", [film(t) for t in times], times)
    landmarks, fps, _ = track_video(tmp_path / "a.mp4")
    assert 15 < fps < 31
    assert len(landmarks) == pytest.approx(1.5 * fps, abs=2)
    follows(landmarks, fps)


def test_small_face_in_a_large_film(film, tmp_path):
    """A face of a tenth of the frame's width is followed as well."""
    times = every(10, 12)
    frames = []
    for time in times:
        frame = np.full((720, 1280, 3), 100, np.uint8)
        small = Image.fromarray(film(time)).resize((200, 200), Image.Resampling.LANCZOS)
        frame[400:600, 900:1100] = np.array(small)
        frames.append(frame)
    encode_film(tmp_path / "a.mp4", frames, times)
    landmarks, fps, size = track_video(tmp_path / "a.mp4")
    assert size == (1280, 720)
    follows((landmarks - (900, 400, 0)) * SIZE / 200, fps, 0.03)


def test_sideways_telephone_film(film, tmp_path):
    """Stored turned by a quarter, with a note in its header how to show it."""
    times = every(25, 20)
    path = tmp_path / "a.mp4"
    encode_film(path, [np.ascontiguousarray(np.rot90(film(t)[:240])) for t in times], times)
    data = bytearray(path.read_bytes())
    matrix = data.find(b"tkhd") + 4 + 40
    clockwise = (0, 0x10000, 0, 0xFFFF0000, 0, 0, 240 << 16, 0, 0x40000000)
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big") for value in clockwise)
    path.write_bytes(data)
    landmarks, fps, size = track_video(path)
    assert size == (SIZE, 240)
    assert (landmarks[:, 36, 0] < landmarks[:, 45, 0]).all() and (landmarks[:, 27, 1] < landmarks[:, 8, 1]).all()
    follows(landmarks, fps)


@pytest.mark.parametrize("first, last", [(14, 17), (0, 2), (35, 38)])
def test_short_gaps_are_bridged(film, tmp_path, first, last):
    """Three frames without a face, in the middle or at an end."""
    times = every(25, 38)
    frames = [BLANK if first <= i < last else film(t) for i, t in enumerate(times)]
    encode_film(tmp_path / "a.mp4", frames, times)
    landmarks, _, _ = track_video(tmp_path / "a.mp4")
    assert landmarks.shape[0] == 38 and np.isfinite(landmarks).all()
    assert np.abs(np.diff(landmarks[:, 30, 0])).max() < 12


def refused(path, *words, **options):
    with pytest.raises(InputError) as caught:
        track_video(path, **options)
    message = caught.value.message
    assert str(path) in message and message.endswith(".") and "\n" not in message
    for word in words:
        assert word in message


def test_long_gaps_are_refused(film, tmp_path):
    times = every(25, 38)
    frames = [BLANK if 10 <= i < 25 else film(t) for i, t in enumerate(times)]
    encode_film(tmp_path / "a.mp4", frames, times)
    refused(tmp_path / "a.mp4", "out of sight", "0.4")


def test_no_face(tmp_path):
    encode_film(tmp_path / "a.mp4", [BLANK] * 5, every(25, 5))
    refused(tmp_path / "a.mp4", "No face")


def test_no_film(tmp_path, speech_wav):
    refused(speech_wav, "no picture")
    refused(tmp_path / "none.mp4", "does not exist")
    (tmp_path / "a.mp4").write_text("not a film " * 100)
    refused(tmp_path / "a.mp4")
    encode_sound(tmp_path / "a.m4a", np.zeros(16000, np.float32), "aac", 16000)
    refused(tmp_path / "a.m4a", "no picture")


def test_text_is_no_film(tmp_path):
    """FFmpeg would draw it, page after page."""
    for name in ("a.mp4", "a.txt", "a.ans", "a.nfo", "a.xb"):
        (tmp_path / name).write_text("These are words, not pictures.\n" * 2000)
        refused(tmp_path / name, "not a film")


def test_lists_open_nothing(film, tmp_path):
    encode_film(tmp_path / "a.mp4", [film(0)] * 5, every(25, 5))
    (tmp_path / "list.ffconcat").write_text("ffconcat version 1.0\nfile 'a.mp4'\n")
    refused(tmp_path / "list.ffconcat", "not a film")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\na.mp4\n#EXT-X-ENDLIST\n")
    refused(tmp_path / "list.m3u8", "not a film")


@pytest.mark.parametrize("far", [20_000, 10**9])
def test_a_timestamp_far_away(film, tmp_path, far):
    """No hours of frames are made of it."""
    times = [*every(25, 3), Fraction(far)]
    encode_film(tmp_path / "a.mkv", [film(0)] * 4, times)
    refused(tmp_path / "a.mkv", "shows no picture between 0.08 s and")


def test_names_that_are_no_text(film, tmp_path):
    """Tags in another encoding than they claim."""
    encode_film(tmp_path / "a.mp4", [film(t) for t in every(25, 5)], every(25, 5))
    data = (tmp_path / "a.mp4").read_bytes()
    for name, broken in ((b"VideoHandler", b"\xff\xfe\x80eoHandler"), (b"Lavf", b"\xff\xfe\x80f")):
        assert name in data
        data = data.replace(name, broken)
    (tmp_path / "a.mp4").write_bytes(data)
    assert track_video(tmp_path / "a.mp4")[0].shape[0] == 5


@pytest.mark.data
def test_filmed_speech(data_dir):
    """A clip of GRID: every frame has a face, and the mouth opens and shuts."""
    path = sorted((data_dir / "grid_s1" / "video").glob("*.mp4"))[0]
    landmarks, fps, size = track_video(path)
    assert landmarks.shape == (75, 68, 3) and fps == 25.0 and size == (288, 288)
    mouth = np.linalg.norm(landmarks[:, 48] - landmarks[:, 54], axis=1).mean()
    opening = np.linalg.norm(landmarks[:, 62] - landmarks[:, 66], axis=1) / mouth
    assert opening.min() < 0.06 and opening.max() > 0.15
