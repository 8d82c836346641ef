"""Where phones come from, and which recordings nobody can tell them of."""

import json
import shutil

import numpy as np
import pytest
import torch
from makeittalk.audio.loading import load_audio
from makeittalk_lab.data import phone_source
from makeittalk_lab.data.phone_files import read_phones, recording_phones
from makeittalk_lab.data.phone_source import PhoneSource, Unaligned
from makeittalk_lab.data.transcripts import LEAST_LOGPROB
from project import ASSETS

torch.set_num_threads(1)
pytest.importorskip("pocketsphinx")
TEXT = (ASSETS / "speech.txt").read_text().strip()
OTHER = "It was some moments before either of them spoke, and it did not help that she sat there under a dark veil."


@pytest.fixture(scope="module")
def samples():
    return load_audio(ASSETS / "speech.flac").samples


def table(folder, **texts: tuple[float, str]) -> PhoneSource:
    rows = [f"{name}\t{logprob}\t{text}" for name, (logprob, text) in texts.items()]
    (folder / "transcripts.tsv").write_text("\n".join(["file\tmean_logprob\ttext", *rows]))
    return PhoneSource(folder)


def test_a_transcript_is_aligned(tmp_path, samples):
    source = table(tmp_path, good=(-0.2, TEXT))
    assert source.words("good")[:3] == ["and", "mister", "john"]
    phones = source.phones("good", samples)
    assert {"M", "P", "B"} <= {name for _, _, name in phones}


@pytest.mark.parametrize(
    ("logprob", "text", "reason"),
    [
        (LEAST_LOGPROB - 0.01, TEXT, "unsure"),
        (-0.2, " ".join(TEXT.split()[:14]), "stops early"),
        (-0.2, " ".join(TEXT.split()[8:]), "lacks words|fit the sound|stops early"),
        (-0.2, OTHER, "fit the sound|lacks words"),
        (-0.2, f"{TEXT} Thank you very much for listening to me.", "fit the sound"),
    ],
)
def test_what_is_left_out_says_why(tmp_path, samples, logprob, text, reason):
    source = table(tmp_path, one=(logprob, text))
    with pytest.raises(Unaligned, match=reason):
        source.phones("one", samples)
    with pytest.raises(Unaligned, match="lacks it"):
        source.words("two")


def test_recordings_without_words_are_recognised(tmp_path, samples):
    source = PhoneSource(tmp_path)
    assert source.words("one") == []
    heard = {name for _, _, name in source.phones("one", samples)}
    assert len(heard) > 15
    noise = 0.05 * np.random.default_rng(0).standard_normal(32_000)
    with pytest.raises(Unaligned, match="No words were understood"):
        source.phones("one", noise.astype(np.float32))


def test_a_corpus_names_its_words_beside_its_sounds(tmp_path):
    (tmp_path / "align").mkdir()
    (tmp_path / "audio").mkdir()
    (tmp_path / "align" / "one.align").write_text("0 10 sil\n10 20 place\n20 30 a\n30 40 now\n")
    for folder in (tmp_path, tmp_path / "audio"):
        assert PhoneSource(folder).words("one") == ["place", "a.", "now"]
        assert PhoneSource(folder).words("s26_bgbsza") == "bin green by s. zero again".split()
    assert PhoneSource(tmp_path).words("two") == []
    table(tmp_path, one=(-0.1, "Hello."))
    assert PhoneSource(tmp_path / "audio").words("one") == ["hello"]


def test_phones_are_found_once_for_a_sound_and_its_words(tmp_path, samples, monkeypatch):
    monkeypatch.setenv("MAKEITTALK_CACHE", str(tmp_path / "cache"))
    source = table(tmp_path, one=(-0.2, TEXT), same=(-0.2, TEXT), less=(-0.2, TEXT.replace("for them", "for him")))
    first = recording_phones(source, "one", samples)
    [kept] = (tmp_path / "cache").rglob("*.json")
    assert [list(phone) for phone in first] == json.loads(kept.read_text()) and read_phones(kept) == first
    kept.write_text(json.dumps([[0.0, 0.5, "SIL"]]))
    assert recording_phones(source, "same", samples) == [(0.0, 0.5, "SIL")]
    assert len(recording_phones(source, "less", samples)) > 20


def test_grid_s_own_word_times_are_met(data_dir):
    """The corpus' alignment is independent of ours: words begin where it says, but for pauses it counts to one."""
    folder = data_dir / "grid_s1"
    if not (folder / "align").is_dir():
        pytest.skip("GRID is missing")
    aligner, errors = phone_source.Aligner(), []
    for path in sorted((folder / "audio").glob("*.flac"))[::100]:
        lines = [row.split() for row in (folder / "align" / f"{path.stem}.align").read_text().splitlines()]
        theirs = [int(row[0]) / 25_000 for row in lines if row[2] not in ("sil", "sp")]
        words = PhoneSource(folder).words(path.stem)
        ours = [word.phones[0][0] for word in aligner.align_words(load_audio(path).samples, words) if word.text]
        assert len(ours) == len(theirs) == 6
        errors += [abs(a - b) for a, b in zip(ours[1:], theirs[1:], strict=True)]
    assert sorted(errors)[int(0.9 * len(errors))] < 0.06 and sum(errors) / len(errors) < 0.03


def test_librispeech_s_transcripts_fit(data_dir):
    folder = data_dir / "librispeech"
    if not (folder / "transcripts.tsv").is_file():
        pytest.skip("the transcripts are missing")
    if shutil.which("espeak-ng") is None:
        pytest.skip("eSpeak NG is not installed")
    source = PhoneSource(folder)
    for name in ("103-1240-0000", "1069-133699-0000"):
        audio = load_audio(folder / f"{name}.flac")
        phones = source.phones(name, audio.samples)
        assert phones[-1][1] == pytest.approx(audio.seconds, abs=0.1)
    with pytest.raises(Unaligned, match=r"unsure: mean_logprob -0\.744"):
        source.words("1034-121119-0000")
