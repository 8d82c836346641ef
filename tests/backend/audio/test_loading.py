"""Recordings of every kind, and files that are none."""

import os
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile
import soxr
from makeittalk.audio import sink
from makeittalk.audio.loading import load_audio, normalise_loudness, write_flac, write_wav
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import Cancelled, OutputError
from media import encode_film, encode_sound, lag

COMPRESSED = [
    ("a.mp3", "libmp3lame", 44100, "stereo"),
    ("a.mp3", "libmp3lame", 16000, "mono"),
    ("a.m4a", "aac", 48000, "stereo"),
    ("a.m4a", "aac", 22050, "mono"),
    ("a.mp4", "aac", 44100, "mono"),
    ("a.mka", "aac", 44100, "mono"),
    ("a.opus", "libopus", 48000, "mono"),
    ("a.webm", "libopus", 48000, "stereo"),
    ("a.mov", "pcm_s16le", 11025, "mono"),
]


class TestFormats:
    @pytest.mark.parametrize("name, codec, rate, layout", COMPRESSED)
    def test_compressed_sound_stays_in_step(self, tmp_path, speech, name, codec, rate, layout):
        """Encoder padding is left out: less than 5 ms against the uncompressed sound."""
        audio = load_audio(encode_sound(tmp_path / name, speech, codec, rate, layout))
        assert abs(lag(audio.samples, speech)) < 5.0
        assert audio.original_rate == min(rate, 48000)
        assert audio.original.shape[1] == (2 if layout == "stereo" else 1)
        assert abs(audio.seconds - len(speech) / SAMPLE_RATE) < 0.08
        assert abs(len(audio.samples) / SAMPLE_RATE - audio.seconds) < 1e-3
        assert not audio.notices and not audio.repaired

    @pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "ogg", "caf", "au", "w64"])
    def test_libsndfile_formats(self, tmp_path, speech, suffix):
        path = tmp_path / f"a.{suffix}"
        soundfile.write(path, speech, SAMPLE_RATE)
        audio = load_audio(path)
        assert abs(lag(audio.samples, speech)) < 1.0
        assert np.corrcoef(audio.samples[: len(speech)], speech[: len(audio.samples)])[0, 1] > 0.98

    @pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
    def test_rates(self, wav, rate):
        """A tone keeps pitch, level and time at any rate."""
        time = np.arange(rate) / rate
        audio = load_audio(wav(0.5 * np.sin(2 * np.pi * 440 * time), rate))
        assert len(audio.samples) == pytest.approx(SAMPLE_RATE, abs=1)
        assert audio.seconds == pytest.approx(1.0, abs=1e-4)
        expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
        middle = slice(800, 15200)
        np.testing.assert_allclose(audio.samples[middle], expected[middle], atol=2e-3)

    def test_eight_channels_at_192_khz(self, wav, speech):
        """Unused channels do not make the voice quieter."""
        fast = soxr.resample(speech, SAMPLE_RATE, 192_000).astype(np.float32)
        channels = np.zeros((len(fast), 8), np.float32)
        channels[:, 2] = fast
        audio = load_audio(wav(channels, 192_000))
        assert abs(lag(audio.samples, speech)) < 1.0
        assert audio.samples.std() == pytest.approx(speech.std(), rel=0.02)
        assert audio.original.shape[1] == 1 and audio.original_rate == 48_000
        assert audio.original.std() == pytest.approx(speech.std(), rel=0.02)

    def test_channels_are_averaged(self, wav):
        noise = np.random.default_rng(0).normal(0, 0.1, (SAMPLE_RATE, 2)).astype(np.float32)
        audio = load_audio(wav(noise))
        np.testing.assert_allclose(audio.samples, noise.mean(1), atol=1e-6)
        np.testing.assert_array_equal(audio.original, noise)

    def test_sound_of_a_film_keeps_its_delay(self, tmp_path, speech):
        """Sound that starts half a second into a film starts there."""
        frames = [np.full((64, 64, 3), 90, np.uint8)] * 50
        path = encode_film(tmp_path / "a.mp4", frames, [Fraction(i, 25) for i in range(50)], speech, delay=0.5)
        audio = load_audio(path)
        assert np.abs(audio.samples[: int(0.45 * SAMPLE_RATE)]).max() < 1e-3
        assert abs(lag(audio.samples, np.concatenate([np.zeros(SAMPLE_RATE // 2), speech]))) < 5.0

    @pytest.mark.parametrize("name", ["ä ö 日本語 – speech.wav", "with  spaces.wav", "'quotes\".wav"])
    def test_names(self, wav, speech, name):
        assert load_audio(wav(speech[:8000], name=name)).seconds == pytest.approx(0.5)

    def test_long_paths(self, tmp_path, speech):
        folder = tmp_path
        for letter in "abcdef":
            folder = folder / (letter * 60)
        folder.mkdir(parents=True)
        assert len(str(folder)) > 360
        mp3 = encode_sound(tmp_path / "a.mp3", speech, "libmp3lame", 44100)
        for name, source in (("a.mp3", mp3.read_bytes()), ("a.wav", None)):
            if source is None:
                soundfile.write(folder / name, speech, SAMPLE_RATE)
            else:
                (folder / name).write_bytes(source)
            assert load_audio(folder / name).seconds > 1.0


class TestRefused:
    def test_missing_folder_and_empty(self, tmp_path, refused):
        refused(tmp_path / "none.wav", "does not exist")
        refused(tmp_path, "not a file")
        (tmp_path / "empty.wav").touch()
        refused(tmp_path / "empty.wav", "empty")

    @pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.txt", "a"])
    def test_text(self, tmp_path, name, refused):
        path = tmp_path / name
        path.write_text("These are words, not sound.\n" * 40)
        refused(path, "not a recording")

    @pytest.mark.parametrize("samples, word", [(0, "0 seconds"), (160, "0.01 seconds"), (1599, "short")])
    def test_too_short(self, wav, samples, word, refused):
        assert refused(wav(np.zeros(samples)), "too short", word).hint

    def test_too_long(self, wav, monkeypatch, refused):
        monkeypatch.setattr(sink, "MAX_AUDIO_SECONDS", 1.0)
        refused(wav(np.zeros(3 * SAMPLE_RATE)), "longer than")

    @pytest.mark.parametrize("name, subtype", [("a.wav", "PCM_16"), ("a.aiff", "PCM_16"), ("a.flac", "PCM_16")])
    def test_cut_short(self, wav, speech, name, subtype, refused):
        path = wav(speech, name=name, subtype=subtype)
        os.truncate(path, path.stat().st_size // 2)
        refused(path)

    def test_cut_short_m4a(self, tmp_path, speech, refused):
        path = encode_sound(tmp_path / "a.m4a", speech, "aac", 44100)
        os.truncate(path, path.stat().st_size // 2)
        refused(path)

    def test_years_of_silence(self, tmp_path, speech, refused):
        """A timestamp far away is damaged: no hours of silence are made of it."""
        frames = [np.full((64, 64, 3), 90, np.uint8)] * 10
        times = [Fraction(i, 25) for i in range(10)]
        refused(encode_film(tmp_path / "a.mkv", frames, times, speech, delay=9_000.0), "no sound for 9000 seconds")

    def test_film_without_sound(self, tmp_path, refused):
        frames = [np.full((64, 64, 3), 90, np.uint8)] * 10
        refused(encode_film(tmp_path / "a.mp4", frames, [Fraction(i, 25) for i in range(10)]), "without sound")

    def test_picture(self, cartoon, refused):
        refused(cartoon, "without sound")

    def test_playlists_open_nothing(self, tmp_path, wav, speech, refused):
        """A playlist must not reach another file or the network."""
        secret = wav(speech)
        path = tmp_path / "list.m3u8"
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\n{secret}\n#EXT-X-ENDLIST\n")
        refused(path)
        path = tmp_path / "list.ffconcat"
        path.write_text(f"ffconcat version 1.0\nfile '{secret.name}'\n")
        refused(path)

    def test_random_bytes(self, tmp_path, refused):
        path = tmp_path / "a.mp3"
        path.write_bytes(np.random.default_rng(0).bytes(30_000))
        refused(path)

    def test_lying_header(self, tmp_path, refused):
        """A sample rate that no sound card has."""
        path = tmp_path / "a.wav"
        soundfile.write(path, np.zeros(100_000), 8000, subtype="PCM_16")
        data = bytearray(path.read_bytes())
        data[24:28] = (1).to_bytes(4, "little")
        path.write_bytes(data)
        refused(path)


class TestOdd:
    def test_silence(self, wav):
        audio = load_audio(wav(np.zeros(SAMPLE_RATE)))
        assert audio.samples.shape == (SAMPLE_RATE,) and not audio.samples.any()
        assert not normalise_loudness(audio.samples).any()

    def test_nan_and_infinity_are_silenced_and_said_so(self, wav, speech):
        samples = speech[:SAMPLE_RATE].copy()
        samples[1000:1400], samples[2000], samples[2001] = np.nan, np.inf, -np.inf
        audio = load_audio(wav(samples))
        assert audio.repaired and len(audio.notices) == 1 and "402 samples" in audio.notices[0]
        expected = np.where(np.isfinite(samples), samples, 0)
        np.testing.assert_allclose(audio.samples, expected, atol=1e-6)
        assert np.isfinite(audio.original).all()

    def test_all_nan_is_silence(self, wav):
        audio = load_audio(wav(np.full(SAMPLE_RATE, np.nan)))
        assert audio.repaired and not audio.samples.any()

    def test_damaged_packets_leave_the_rest_in_step(self, tmp_path, speech):
        path = encode_sound(tmp_path / "a.m4a", speech, "aac", 44100)
        data = bytearray(path.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 2000] = bytes(2000)
        path.write_bytes(data)
        audio = load_audio(path)
        tail = int(0.7 * len(speech))
        assert abs(lag(audio.samples[tail:], speech[tail:])) < 5.0

    def test_long_recordings_go_to_a_file(self, wav, monkeypatch):
        """Same samples, whether kept in memory or not."""
        noise = np.random.default_rng(0).normal(0, 0.1, (300_000, 2)).astype(np.float32)
        monkeypatch.setattr(sink, "_IN_MEMORY", 100_000)
        audio = load_audio(wav(noise, 44100))
        assert isinstance(audio.original, np.memmap)
        np.testing.assert_array_equal(audio.original, noise)
        expected = soxr.resample(noise.mean(1), 44100, SAMPLE_RATE)
        np.testing.assert_allclose(audio.samples[500:-500], expected[500:-500], atol=1e-3)

    def test_cancel(self, wav):
        def stop(_fraction, _stage):
            raise Cancelled

        with pytest.raises(Cancelled):
            load_audio(wav(np.zeros(SAMPLE_RATE)), stop)

    def test_float_files_are_never_damaged_by_their_level(self, wav, speech):
        loud = load_audio(wav(speech * 30_000)).samples
        np.testing.assert_allclose(normalise_loudness(loud), normalise_loudness(speech), atol=1e-3)


class TestLoudness:
    def voiced_level(self, samples):
        frames = samples[: len(samples) // 400 * 400].reshape(-1, 400)
        power = (frames.astype(float) ** 2).mean(1)
        return 10 * np.log10(power[power > 1e-3 * np.percentile(power, 95)].mean())

    @pytest.mark.parametrize("gain", [0.01, 0.1, 1.0, 5.0])
    def test_level(self, speech, gain):
        assert self.voiced_level(normalise_loudness(speech * gain)) == pytest.approx(-20.0, abs=0.1)

    def test_offset_is_harmless(self, speech):
        np.testing.assert_allclose(normalise_loudness(speech + 0.3), normalise_loudness(speech), atol=2e-4)

    def test_pauses_do_not_count(self, speech):
        padded = np.concatenate([np.zeros(5 * SAMPLE_RATE, np.float32), speech])
        ratio = normalise_loudness(padded)[5 * SAMPLE_RATE :].std() / normalise_loudness(speech).std()
        assert ratio == pytest.approx(1.0, rel=0.02)

    def test_faint_noise_is_silence(self):
        noise = np.random.default_rng(0).normal(0, 1e-4, SAMPLE_RATE).astype(np.float32)
        assert np.abs(normalise_loudness(noise)).max() < 1e-3
        assert normalise_loudness(np.zeros(0, np.float32)).shape == (0,)


class TestOneClock:
    """The file itself is played only where players hear it just as it is heard here."""

    @pytest.mark.parametrize("name, subtype", [("a.wav", "PCM_16"), ("a.wav", "FLOAT"), ("a.flac", "PCM_24")])
    @pytest.mark.parametrize("rate", [8000, 44100, 96000])
    def test_plain(self, wav, speech, name, subtype, rate):
        assert load_audio(wav(np.stack([speech, speech], 1), rate, name, subtype)).plain

    @pytest.mark.parametrize("name, codec, rate, layout", COMPRESSED)
    def test_compressed(self, tmp_path, speech, name, codec, rate, layout):
        assert not load_audio(encode_sound(tmp_path / name, speech, codec, rate, layout)).plain

    def test_others(self, tmp_path, wav, speech):
        many = np.stack([speech] * 4, 1)
        assert not load_audio(wav(many)).plain
        assert not load_audio(wav(speech, 2000)).plain
        assert not load_audio(wav(speech, 400_000)).plain
        assert not load_audio(wav(np.where(speech > 0.3, np.nan, speech))).plain
        assert not load_audio(wav(speech, name="a.caf", subtype="PCM_16")).plain
        tagged = tmp_path / "b.flac"
        flac = wav(speech, name="c.flac", subtype="PCM_16").read_bytes()
        tagged.write_bytes(b"ID3\x03\0\0\0\0\0\x0a" + bytes(10) + flac)
        assert not load_audio(tagged).plain


class TestWriting:
    @pytest.mark.parametrize("rate", [8000, 11127, 48000])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_flac_keeps_what_was_heard(self, tmp_path, speech, rate, channels):
        original = np.stack([speech * 1e-3] * channels, 1)
        write_flac(tmp_path / "out.flac", original, rate)
        audio = load_audio(tmp_path / "out.flac")
        assert audio.plain and audio.original_rate == rate
        np.testing.assert_allclose(audio.original, original, atol=2**-23)

    def test_round_trip(self, tmp_path, speech):
        stereo = np.stack([speech, -speech], 1)
        write_wav(tmp_path / "out.wav", stereo, 16000)
        audio = load_audio(tmp_path / "out.wav")
        np.testing.assert_allclose(audio.original, stereo, atol=1e-4)
        assert sorted(os.listdir(tmp_path)) == ["out.wav"]

    def test_missing_folder(self, tmp_path, speech):
        with pytest.raises(OutputError):
            write_wav(tmp_path / "none" / "out.wav", speech[:, None], 16000)

    def test_players_can_read_it(self, tmp_path, speech):
        write_wav(tmp_path / "out.wav", 3 * speech[:, None], 16000)
        with av.open(str(tmp_path / "out.wav")) as container:
            assert container.streams.audio[0].codec_context.name == "pcm_s16le"
