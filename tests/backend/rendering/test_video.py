"""Films and picture sequences: length, rate, sync, odd sizes, alpha, and nothing left behind by a failure."""

from __future__ import annotations

import os
import resource
import signal
import threading
import weakref
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from makeittalk.audio.loading import Audio
from makeittalk.exchange.errors import Cancelled, OutputError
from makeittalk.rendering.video import write_mp4, write_pngs

BEEPS = (0.5, 1.234, 2.5)  # s


def beeping(rate: int, channels: int, seconds: float) -> Audio:
    time = np.arange(int(seconds * rate)) / rate
    on = np.any([(time >= start) & (time < start + 0.2) for start in BEEPS], axis=0)
    sound = (0.5 * np.sin(2 * np.pi * 440 * time) * on).astype(np.float32)
    return Audio(sound, np.repeat(sound[:, None], channels, axis=1), rate, seconds)


def flashing(fps: Fraction, seconds: float, width: int, height: int) -> Iterator[np.ndarray]:
    for index in range(int(np.ceil(seconds * fps))):
        bright = any(start <= index / fps < start + 0.2 for start in BEEPS)
        frame = np.full((height, width, 4), 230 if bright else 20, np.uint8)
        frame[..., 3] = 255
        yield frame


@pytest.mark.parametrize(
    ("fps", "rate", "channels"),
    [(Fraction(25), 16_000, 1), (29.97, 44_100, 2), (Fraction(24), 48_000, 2), (60, 96_000, 1)],
)
def test_picture_and_sound_run_together(tmp_path: Path, fps: Fraction | float, rate: int, channels: int) -> None:
    path, seconds = tmp_path / "film é.mp4", 3.3
    exact = Fraction(30000, 1001) if fps == 29.97 else Fraction(fps)
    write_mp4(path, flashing(exact, seconds, 101, 75), fps, (101, 75), beeping(rate, channels, seconds))
    data = path.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")  # plays before it is loaded
    with av.open(str(path)) as film:
        video, sound = film.streams.video[0], film.streams.audio[0]
        assert video.average_rate == exact and video.codec_context.name == "h264"
        assert (video.width, video.height, video.pix_fmt) == (102, 76, "yuv420p")
        assert abs(float(video.duration * video.time_base) - seconds) <= 1 / exact
        assert abs(float(sound.duration * sound.time_base) - seconds) <= 1 / exact
        bright = [(frame.time, frame.to_ndarray(format="gray").mean() > 120) for frame in film.decode(video)]
    assert len(bright) == int(np.ceil(seconds * exact))
    flashes = [now for (now, lit), (_, before) in zip(bright[1:], bright[:-1], strict=True) if lit and not before]
    with av.open(str(path)) as film:
        level = np.zeros(int((seconds + 0.5) * film.streams.audio[0].rate))
        for frame in film.decode(audio=0):
            start = round(frame.time * frame.rate)
            block = np.abs(frame.to_ndarray()[0])[max(0, -start) :]
            level[max(0, start) : max(0, start) + len(block)] = block
        size = frame.rate // 100
        loud = np.convolve(level, np.ones(size) / size, "same") > 0.15
        starts = np.nonzero(np.diff(loud.astype(int)) == 1)[0] / frame.rate
    assert len(flashes) == len(starts) == len(BEEPS)
    for flash, start, beep in zip(flashes, starts, BEEPS, strict=True):
        assert abs(start - beep) < 0.01
        assert -0.001 <= flash - beep < 1 / exact + 0.001  # the first frame that begins after it


def test_a_film_needs_no_sound_and_shows_alpha_on_grey(tmp_path: Path) -> None:
    clear = np.zeros((32, 48, 4), np.uint8)
    write_mp4(tmp_path / "mute.mp4", [clear] * 5, 25, (48, 32))
    with av.open(str(tmp_path / "mute.mp4")) as film:
        assert not film.streams.audio
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 5 and abs(frames[2].astype(int) - 128).max() <= 3


def test_colours_survive(tmp_path: Path) -> None:
    colours = [(220, 30, 30), (30, 200, 40), (40, 60, 210), (240, 240, 240)]
    frame = np.zeros((64, 128, 3), np.uint8)
    for index, colour in enumerate(colours):
        frame[:, 32 * index : 32 * index + 32] = colour
    write_mp4(tmp_path / "colours.mp4", [frame] * 3, 25, (128, 64))
    with av.open(str(tmp_path / "colours.mp4")) as film:
        shown = next(film.decode(video=0))
        back = shown.reformat(format="rgb24", src_colorspace="ITU709", src_color_range=1).to_ndarray()
    for index, colour in enumerate(colours):
        assert np.abs(back[20:44, 32 * index + 12 : 32 * index + 20].astype(int) - colour).max() <= 8


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond a few kilobytes, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def noise(count: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    return (random.integers(0, 255, (128, 128, 4), dtype=np.uint8) for _ in range(count))


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path, full_disk: None) -> None:
    with pytest.raises(OutputError, match=r"film\.mp4"):
        write_mp4(tmp_path / "film.mp4", noise(20), 25, (128, 128))
    with pytest.raises(OutputError, match="pictures"):
        write_pngs(tmp_path / "pictures", noise(3))
    assert list(tmp_path.iterdir()) == []


def test_cancelling_leaves_nothing_and_keeps_the_old_film(tmp_path: Path) -> None:
    def stop(fraction: float, _stage: str) -> None:
        if fraction > 0.4:
            raise Cancelled

    (tmp_path / "old.mp4").write_bytes(b"old")
    with pytest.raises(Cancelled):
        write_mp4(tmp_path / "old.mp4", noise(10), 25, (128, 128), progress=stop, total=10)
    with pytest.raises(Cancelled):
        write_pngs(tmp_path / "pictures", noise(10), progress=stop, total=10)
    assert [path.name for path in tmp_path.iterdir()] == ["old.mp4"] and not encoding()
    assert (tmp_path / "old.mp4").read_bytes() == b"old"


def test_a_picture_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from noise(7)
        raise ValueError("the eighth")

    with pytest.raises(ValueError, match="the eighth"):
        write_mp4(tmp_path / "film.mp4", broken(), 25, (128, 128))
    assert list(tmp_path.iterdir()) == [] and not encoding()


def test_what_the_encoder_says_reaches_the_caller_early(tmp_path: Path, full_disk: None) -> None:
    made = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal made
        for frame in noise(2000):
            made += 1
            yield frame

    with pytest.raises(OutputError, match=r"film\.mp4"):
        write_mp4(tmp_path / "film.mp4", counted(), 25, (128, 128))
    assert made < 100  # not at the end
    assert list(tmp_path.iterdir()) == [] and not encoding()


def test_few_pictures_wait_for_the_encoder(tmp_path: Path) -> None:
    def kept(size: int, count: int) -> int:
        """The most pictures that were alive at a time, the one being made included."""
        made, gone, most = 0, [], 0

        def frames() -> Iterator[np.ndarray]:
            nonlocal made, most
            ground = np.random.default_rng(0).integers(0, 255, (size, size, 4), dtype=np.uint8)
            ground[..., 3] = 255
            for index in range(count):
                frame = np.roll(ground, index, axis=0)  # made faster than it is encoded
                weakref.finalize(frame, gone.append, index)
                made += 1
                most = max(most, made - len(gone))
                yield frame
                del frame

        write_mp4(tmp_path / "film.mp4", frames(), 25, (size, size))
        return most

    assert 3 <= kept(256, 60) <= 7
    assert kept(3000, 8) <= 4  # 36 MB each


def test_the_same_pictures_make_the_same_film(tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        write_mp4(tmp_path / name, noise(40), 25, (127, 129), beeping(16_000, 1, 1.6))
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def encoding() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("beside")]


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_mp4(tmp_path / "none" / "film.mp4", noise(2), 25, (128, 128))
    with pytest.raises(OutputError, match="does not exist"):
        write_pngs(tmp_path / "none" / "pictures", noise(2))


def test_a_device_or_a_pipe_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "film.mp4"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="pipe"):
        write_mp4(pipe, noise(2), 25, (128, 128))
    folder = tmp_path / "pictures"
    folder.mkdir()
    os.mkfifo(folder / "frame_00002.png")
    with pytest.raises(OutputError, match="pipe"):
        write_pngs(folder, noise(3))
    assert pipe.is_fifo() and [path.name for path in folder.iterdir()] == ["frame_00002.png"]


def test_pictures_keep_their_alpha(tmp_path: Path) -> None:
    frames = list(noise(3))
    paths = write_pngs(tmp_path / "pictures", frames)
    assert [path.name for path in paths] == ["frame_00001.png", "frame_00002.png", "frame_00003.png"]
    read = cv2.imread(str(paths[1]), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA), frames[1])
