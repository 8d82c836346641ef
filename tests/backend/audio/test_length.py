"""A recording is cut short only against a length that its header states; without one it is read to its end."""

import os
import struct
from fractions import Fraction

import numpy as np
import pytest
import soundfile
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import SAMPLE_RATE
from media import encode_film, encode_sound, lag

# Encoders spend few bits on the quiet beginning, so FFmpeg guesses from them that the recording is much longer.
QUIET_START = 4  # s
VARIABLE = {"flags": "+qscale", "global_quality": "472"}  # libmp3lame's quality 4


@pytest.fixture(scope="module")
def quiet_start(speech):
    return np.concatenate([np.zeros(QUIET_START * SAMPLE_RATE, np.float32), speech])


class TestGuessed:
    """Streams that nowhere say how long they are."""

    @pytest.mark.parametrize(
        ("name", "codec", "rate", "codec_options", "options"),
        [
            ("a.mp3", "libmp3lame", 44100, VARIABLE, {"write_xing": "0", "id3v2_version": "0"}),
            ("a.mp3", "libmp3lame", 22050, VARIABLE, {"write_xing": "0"}),
            ("a.aac", "aac", 44100, {}, {}),
            ("a.mp2", "mp2", 48000, {}, {}),
            ("a.ac3", "ac3", 48000, {}, {}),
            ("a.eac3", "eac3", 48000, {}, {}),
            ("a.ts", "aac", 44100, {}, {}),
            ("a.ogg", "libopus", 48000, {}, {}),
        ],
    )
    def test_read_whole_and_silently(self, tmp_path, quiet_start, name, codec, rate, codec_options, options):
        path = encode_sound(tmp_path / name, quiet_start, codec, rate, codec_options=codec_options, options=options)
        audio = load_audio(path)
        assert audio.seconds == pytest.approx(len(quiet_start) / SAMPLE_RATE, abs=0.15)
        assert not audio.notices
        # Without a header nothing tells the encoder's delay.
        assert abs(lag(audio.samples, quiet_start)) < 80.0

    @pytest.mark.parametrize("name, codec", [("a.aac", "aac"), ("a.mp3", "libmp3lame")])
    def test_what_is_left_of_a_stream_is_read(self, tmp_path, quiet_start, name, codec):
        path = encode_sound(
            tmp_path / name, quiet_start, codec, 44100, options={"write_xing": "0"} if "3" in name else {}
        )
        os.truncate(path, path.stat().st_size * 3 // 4)
        assert load_audio(path).seconds > QUIET_START

    def test_live_recordings_state_no_length(self, tmp_path, speech):
        """Written to a pipe, a WebM has no duration, and Vorbis' or MP3's bit rate is a guess."""
        path = encode_sound(tmp_path / "a.mkv", speech, "libmp3lame", 44100, options={"live": "1"})
        os.truncate(path, path.stat().st_size // 2)
        assert load_audio(path).seconds == pytest.approx(len(speech) / SAMPLE_RATE / 2, abs=0.5)


class TestStated:
    @pytest.mark.parametrize(
        ("name", "codec", "options"),
        [
            ("a.mp3", "libmp3lame", {}),
            ("a.m4a", "aac", {"movflags": "+faststart"}),
            ("a.mka", "aac", {}),
            ("a.webm", "libopus", {}),
            ("a.tta", "tta", {}),
        ],
    )
    def test_cut_short(self, tmp_path, speech, refused, name, codec, options):
        path = encode_sound(tmp_path / name, speech, codec, 48000, options=options)
        os.truncate(path, path.stat().st_size // 2)
        refused(path, "cut short", "seconds can be read")

    def test_a_film_may_be_longer_than_its_sound(self, tmp_path, speech):
        """Matroska states one length for all streams."""
        frames = [np.full((64, 64, 3), 90, np.uint8)] * 100
        path = encode_film(tmp_path / "a.mkv", frames, [Fraction(i, 25) for i in range(100)], speech[:SAMPLE_RATE])
        assert load_audio(path).seconds == pytest.approx(1.0, abs=0.1)

    def test_joined_mp3s_are_longer_than_the_first_says(self, tmp_path, speech):
        path = encode_sound(tmp_path / "a.mp3", speech, "libmp3lame", 44100, codec_options=VARIABLE)
        path.write_bytes(2 * path.read_bytes())
        assert load_audio(path).seconds == pytest.approx(2 * len(speech) / SAMPLE_RATE, abs=0.3)


def put(data, offset, value):
    return data[:offset] + value + data[offset + len(value) :]


def unstated(form, data):
    """Files without a length, by the ways in which recorders leave them."""
    little, big = struct.Struct("<I").pack, struct.Struct(">I").pack
    at = data.find(b"data") + 4
    if form == "WAV":
        sizes = {
            "zero": (0, 0),
            "all ones": (2**32 - 1, 2**32 - 1),
            "header only": (36, 0),
            "data zero": (len(data) - 8, 0),
            "pipe": (0x7FFFFFFF, 0x7FFFFFFF - 36),
            "whole zero, data all ones": (0, 2**32 - 1),
            "half": (len(data) // 2, len(data) // 2 - 36),
        }
        return {name: put(put(data, 4, little(a)), at, little(b)) for name, (a, b) in sizes.items()}
    if form == "RF64":
        at = data.find(b"ds64") + 8
        return {"zero": put(data, at, bytes(24)), "all ones": put(data, at, b"\xff" * 24)}
    if form == "AIFF":
        frames, at = data.find(b"COMM") + 10, data.find(b"SSND") + 4
        sizes = {"zero": (0, 0, 0), "header only": (46, 0, 8), "all ones": (2**32 - 1,) * 3}
        return {name: put(put(put(data, 4, big(a)), frames, big(b)), at, big(c)) for name, (a, b, c) in sizes.items()}
    if form == "AU":
        return {"zero": put(data, 8, bytes(4)), "unknown": put(data, 8, b"\xff" * 4)}
    if form == "CAF":
        return {"zero": put(data, at, bytes(8)), "unknown": put(data, at, b"\xff" * 8)}
    if form == "W64":
        return {"zero": put(put(data, 16, bytes(8)), at + 12, bytes(8))}
    assert form == "FLAC"
    head = int.from_bytes(data[18:26], "big") >> 36 << 36
    return {"zero": put(data, 18, head.to_bytes(8, "big"))}


class TestUnstated:
    @pytest.mark.parametrize("form", ["WAV", "RF64", "AIFF", "AU", "CAF", "W64", "FLAC"])
    def test_read_to_the_end_with_a_notice(self, tmp_path, speech, form):
        path = tmp_path / "a.sound"
        soundfile.write(path, speech, SAMPLE_RATE, format=form, subtype="PCM_16")
        whole = load_audio(path)
        for name, data in unstated(form, path.read_bytes()).items():
            path.write_bytes(data)
            audio = load_audio(path)
            np.testing.assert_array_equal(audio.samples, whole.samples, err_msg=name)
            (notice,) = audio.notices
            assert str(path) in notice and "read to its end" in notice
            assert not audio.plain, name

    def test_floats_and_many_channels(self, tmp_path, speech):
        path = tmp_path / "a.wav"
        soundfile.write(path, np.stack([speech, speech, 0 * speech], 1), SAMPLE_RATE, subtype="FLOAT")
        whole = load_audio(path)
        data = path.read_bytes()
        path.write_bytes(put(data, data.find(b"data") + 4, bytes(4)))
        np.testing.assert_array_equal(load_audio(path).samples, whole.samples)

    @pytest.mark.parametrize("form", ["WAV", "AIFF"])
    def test_what_follows_the_sound_is_none(self, tmp_path, speech, form):
        """Chunks and tags behind an odd number of bytes."""
        path = tmp_path / "a.sound"
        soundfile.write(path, speech[:16001], SAMPLE_RATE, format=form, subtype="PCM_U8" if form == "WAV" else "PCM_S8")
        data = path.read_bytes()
        chunk = b"LIST" + (50_000).to_bytes(4, "little" if form == "WAV" else "big") + b"\x77" * 50_000
        data += bytes(len(data) % 2) + chunk
        for trailer in (b"", b"TAG" + b"x" * 125, b"ID3\x03" + b"\x55" * 40_000):
            path.write_bytes(data + trailer)
            audio = load_audio(path)
            assert abs(len(audio.samples) - 16001) <= 1 and not audio.notices

    def test_an_empty_recording_stays_empty(self, tmp_path, refused):
        path = tmp_path / "a.wav"
        soundfile.write(path, np.zeros(0), SAMPLE_RATE)
        refused(path, "too short")
        path.write_bytes(path.read_bytes() + b"LIST" + (4000).to_bytes(4, "little") + b"x" * 4000)
        refused(path, "too short")

    @pytest.mark.parametrize("form", ["WAV", "AIFF", "AU", "W64", "CAF", "RF64", "FLAC"])
    def test_cut_short(self, tmp_path, speech, refused, form):
        path = tmp_path / "a.sound"
        soundfile.write(path, speech, SAMPLE_RATE, format=form, subtype="PCM_16")
        os.truncate(path, path.stat().st_size // 2)
        refused(path)


class TestChanges:
    """Recordings one behind the other in a file, each with a rate and channels of its own."""

    @pytest.fixture
    def links(self, tmp_path, speech):
        def make(suffix, codec, kinds):
            data = b""
            for index, (rate, layout) in enumerate(kinds):
                part = encode_sound(tmp_path / f"{index}.{suffix}", speech, codec, rate, layout)
                data += part.read_bytes()
            path = tmp_path / f"all.{suffix}"
            path.write_bytes(data)
            return path

        return make

    @pytest.mark.parametrize(
        ("suffix", "codec", "kinds"),
        [
            ("ogg", "flac", [(22050, "mono"), (44100, "stereo")]),
            ("ogg", "flac", [(48000, "stereo"), (8000, "mono"), (48000, "stereo")]),
            ("ogg", "libopus", [(48000, "mono"), (48000, "stereo")]),
            ("aac", "aac", [(22050, "mono"), (44100, "stereo")]),
            ("mp3", "libmp3lame", [(44100, "stereo"), (22050, "mono")]),
            ("ac3", "ac3", [(48000, "mono"), (44100, "stereo")]),
        ],
    )
    def test_read_on(self, links, speech, suffix, codec, kinds):
        audio = load_audio(links(suffix, codec, kinds))
        assert audio.original_rate == kinds[0][0] and not audio.notices and not audio.plain
        assert audio.original.shape[1] == (2 if kinds[0][1] == "stereo" else 1)
        length = len(speech) / SAMPLE_RATE
        assert audio.seconds == pytest.approx(len(kinds) * length, abs=0.1 * len(kinds))
        for index in range(len(kinds)):
            start = round(index * audio.seconds / len(kinds) * SAMPLE_RATE)
            part = audio.samples[start : start + len(speech)]
            assert abs(lag(part, speech)) < 60.0  # encoders pad their ends
            assert 0.65 < part.std() / speech.std() < 1.1  # FFmpeg makes mono 3 dB quieter in stereo

    def test_other_codec(self, tmp_path, speech, links):
        first = encode_sound(tmp_path / "a.ogg", speech, "libopus", 48000)
        second = tmp_path / "b.ogg"
        soundfile.write(second, speech, SAMPLE_RATE, format="OGG", subtype="VORBIS")
        path = tmp_path / "c.ogg"
        path.write_bytes(first.read_bytes() + second.read_bytes())
        audio = load_audio(path)
        assert audio.seconds == pytest.approx(2 * len(speech) / SAMPLE_RATE, abs=0.05)
        assert abs(lag(audio.samples[-len(speech) :], speech)) < 5.0

    def test_damaged_pages_between(self, links, speech):
        path = links("ogg", "libopus", [(48000, "mono"), (48000, "mono")])
        data = bytearray(path.read_bytes())
        data[len(data) // 4 : len(data) // 4 + 3000] = bytes(3000)
        path.write_bytes(data)
        assert load_audio(path).seconds == pytest.approx(2 * len(speech) / SAMPLE_RATE, abs=0.3)
