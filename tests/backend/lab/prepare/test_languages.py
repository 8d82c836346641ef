"""Ten languages, said by eSpeak NG, prepared and measured."""

import json

import numpy as np
import pytest
import torch
from makeittalk.audio.loading import load_audio
from makeittalk.cli.main import main
from makeittalk.exchange.errors import MissingError
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.ipa import BILABIAL, OPEN, lip_class
from makeittalk_lab.data.phone_files import clip_phones
from makeittalk_lab.evaluation.languages import lips_on_classes
from makeittalk_lab.prepare.languages import VARIANTS, languages
from makeittalk_lab.synthetic.espeak import Espeak

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Prepared:
    try:
        Espeak.find()
    except MissingError:
        pytest.skip("eSpeak NG is not installed")
    dest = tmp_path_factory.mktemp("languages")
    assert main(["prepare", "languages", str(dest)]) == 0
    return Prepared.load(dest)


def test_every_language_shuts_and_opens_the_lips(prepared):
    spoken = languages()
    assert len(spoken) == 10 and all(6 <= len(language.sentences) <= 8 for language in spoken)
    assert len(prepared.test) == sum(len(language.sentences) for language in spoken) * len(VARIANTS)
    for language in spoken:
        names = [name for name in prepared.test if name.startswith(f"{language.voice}_")]
        classes = [lip_class(symbol) for name in names for _, _, symbol in clip_phones(prepared, name)]
        assert classes.count(BILABIAL) >= 40 and classes.count(OPEN) >= 40, language.name
    sound = load_audio(prepared.folder / f"{prepared.test[0]}.wav")
    assert clip_phones(prepared, prepared.test[0])[-1][1] == pytest.approx(sound.seconds, abs=0.02)


def test_predictions_are_measured_by_language(prepared, tmp_path, capsys):
    few = [f"en-us_0_{VARIANTS[0]}", f"hi_0_{VARIANTS[1]}"]
    (tmp_path / "phones").mkdir()
    for name in few:
        (tmp_path / f"{name}.wav").symlink_to(prepared.folder / f"{name}.wav")
        (tmp_path / "phones" / f"{name}.json").symlink_to(prepared.folder / "phones" / f"{name}.json")
    Prepared(tmp_path, "languages", [], [], few, {}).save()
    assert main(["evaluate", "--languages", str(tmp_path), "--json", "--device", "cpu"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["rows"]) == ["English", "Hindi", "all"] and found["clips"] == 2
    assert all(row["bilabials shut"] > 0.5 and row["gap open"] > row["gap closed"] for row in found["rows"].values())
    assert found["speeds"]["25 fps"]["fastest"] > 0
    assert main(["evaluate", "--languages", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert "bilabials shut" in table and "Hindi" in table and "opening speed" in table
    Prepared(tmp_path, "grid", [], [], few, {}).save()
    assert main(["evaluate", "--languages", str(tmp_path)]) == 2
    assert "holds no languages" in capsys.readouterr().err


def test_lips_are_measured_on_classes():
    """100 frames/s: shut on the first of two bilabials, open on one of two vowels; the short vowel has no say."""
    gap = np.full(400, 0.05)
    gap[100:110], gap[200:250] = 0.0, 0.3
    phones = [
        (0.0, 1.0, "SIL"),
        (1.0, 1.09, "bilabial"),
        (1.1, 1.5, "open"),
        (1.5, 1.6, "bilabial"),
        (1.6, 2.0, "other"),
    ]
    phones += [(2.0, 2.49, "open"), (2.5, 2.55, "open"), (2.55, 4.0, "SIL")]
    found = lips_on_classes(gap, phones, 100.0)
    assert found["bilabials shut"] == 0.5 and found["vowels opened"] == 0.5 and found["false closures"] == 0.0
    assert found["gap open"] == pytest.approx((41 * 0.05 + 50 * 0.3) / 91, rel=0.01)
    assert found["gap closed"] == pytest.approx(11 * 0.05 / 21, rel=0.05)
    assert found["contrast"] == pytest.approx((found["gap open"] - found["gap closed"]) / gap.std())
    assert np.isnan(lips_on_classes(gap, [(0.0, 1.0, "other")], 100.0)["bilabials shut"])


def test_wrong_arguments_are_one_sentence(tmp_path, capsys):
    assert main(["prepare", "languages", str(tmp_path), str(tmp_path / "out")]) == 2
    assert "takes one folder" in capsys.readouterr().err
    assert main(["prepare", "grid", str(tmp_path)]) == 2
    assert "takes a corpus and a folder" in capsys.readouterr().err
