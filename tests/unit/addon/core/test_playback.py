"""The preview's clock: it follows the sound, loops, waits for the prediction, is dragged."""

from __future__ import annotations

import itertools

import pytest
from extension import part_outside

Playback = part_outside("addon.core.playback").Playback


class Wall:
    """A clock that the test turns."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Device:
    """A sound device whose clock goes faster or slower than the wall's and is read in steps of a buffer."""

    def __init__(self, wall: Wall, rate: float = 1.0, buffer: float = 0.02, latency: float = 0.0) -> None:
        self.wall, self.rate, self.buffer, self.latency = wall, rate, buffer, latency
        self.begun: tuple[float, float] | None = None
        self.starts: list[float] = []

    def start(self, place: float) -> None:
        self.begun = place, self.wall.now
        self.starts.append(place)

    def stop(self) -> None:
        self.begun = None

    def exact(self) -> float:
        place, at = self.begun
        return place + self.rate * max(0.0, self.wall.now - at - self.latency)

    def place(self) -> float | None:
        return None if self.begun is None else self.exact() // self.buffer * self.buffer


@pytest.fixture
def wall():
    return Wall()


def run(playback, wall: Wall, seconds: float, tick: float = 1 / 60) -> list[float]:
    """The places that are shown meanwhile."""
    places = []
    for _ in range(round(seconds / tick)):
        wall.now += tick
        playback.update()
        places.append(playback.place)
    return places


def new(wall: Wall, sound=None, until: float = 10.0, seconds: float = 10.0) -> object:
    playback = Playback(wall)
    playback.hear(sound)
    playback.show(until, seconds)
    playback.play()
    return playback


def test_without_sound_the_wall_is_the_clock_and_it_loops(wall):
    playback = new(wall)
    assert run(playback, wall, 4.0)[-1] == pytest.approx(4.0)
    places = run(playback, wall, 8.0)
    assert max(places) <= 10.0 and places[-1] == pytest.approx(2.0, abs=0.05)
    assert playback.playing and not playback.waiting


@pytest.mark.parametrize("rate", [0.97, 1.03])
def test_a_device_of_another_pace_is_followed_without_drift(wall, rate):
    device = Device(wall, rate, latency=0.08)
    playback = new(wall, device, 3600.0, 3600.0)
    places = run(playback, wall, 300.0)
    assert abs(playback.place - device.exact()) < 0.04
    assert abs(playback.place - 300.0) > 5.0  # of the wall's clock
    steps = [after - before for before, after in itertools.pairwise(places[60:])]
    assert min(steps) > 0.0 and max(steps) < 2 / 60  # smooth, though the device is read in steps


def test_the_loop_starts_the_sound_again(wall):
    device = Device(wall)
    playback = new(wall, device)
    run(playback, wall, 10.5)
    assert device.starts == [0.0, 0.0] and abs(playback.place - device.exact()) < 0.03


def test_a_device_that_plays_nothing_does_not_hold_the_picture(wall):
    device = Device(wall, rate=0.0)
    playback = new(wall, device)
    run(playback, wall, 5.0)
    before = playback.place
    run(playback, wall, 1.0)
    assert playback.place - before == pytest.approx(1.0, abs=0.01)


def test_it_waits_for_what_is_predicted_and_goes_on(wall):
    device = Device(wall)
    playback = new(wall, device, 4.0, 10.0)
    run(playback, wall, 6.0)
    assert playback.waiting and playback.place == pytest.approx(4.0) and device.begun is None
    playback.show(4.2, 10.0)
    run(playback, wall, 1.0)
    assert playback.waiting  # too little to go on with
    playback.show(10.0, 10.0)
    run(playback, wall, 1.0)
    assert not playback.waiting and playback.place == pytest.approx(5.0, abs=0.05)
    assert device.starts == [0.0, pytest.approx(4.0)]


def test_dragging_is_heard_for_a_moment_and_playing_goes_on_from_there(wall):
    device = Device(wall)
    playback = new(wall, device)
    run(playback, wall, 2.0)
    playback.pause()
    assert device.begun is None
    playback.seek(7.0, aloud=True)
    assert device.starts[-1] == 7.0 and device.begun is not None
    run(playback, wall, 0.2)
    assert device.begun is None and playback.place == 7.0
    playback.seek(99.0)
    assert playback.place == 10.0
    playback.seek(-1.0)
    assert playback.place == 0.0
    playback.seek(3.0)
    playback.play()
    run(playback, wall, 1.0)
    assert playback.place == pytest.approx(4.0, abs=0.05) and device.starts[-1] == 3.0


def test_pressed_at_the_end_it_begins_anew(wall):
    playback = new(wall)
    playback.pause()
    playback.seek(10.0)
    playback.play()
    run(playback, wall, 0.5)
    assert playback.place == pytest.approx(0.5, abs=0.02)


def test_a_shorter_recording_pulls_it_back_and_closing_silences(wall):
    device = Device(wall)
    playback = new(wall, device)
    run(playback, wall, 8.0)
    playback.show(5.0, 5.0)
    assert playback.place <= 5.0
    playback.close()
    assert device.begun is None
