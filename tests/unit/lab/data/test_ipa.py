"""Sounds of any language by what the lips do in them."""

import pytest
from makeittalk_lab.data.ipa import lip_class, lip_classes


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        ("p b m pʲ bʰ mʲ p͡f mː", "bilabial"),
        ("f v fʲ ɱ", "labiodental"),
        ("u uː o oʊ ɔ̃ y w œ̃ ɥ ʊ ɔɪ", "rounded"),
        ("a aː ɑ̃ æ aɪ aʊ ɑːɹ", "open"),
        ("β t k ɛ i ə ɹ ŋ ʃ dʒ ɐ", "other"),  # Spanish β brings the lips near each other only
        ("SIL", "SIL"),
    ],
)
def test_lips(symbols: str, expected: str) -> None:
    assert {lip_class(symbol) for symbol in symbols.split()} == {expected}


def test_times_stay() -> None:
    assert lip_classes([(0.0, 0.1, "SIL"), (0.1, 0.25, "pʰ")]) == [(0.0, 0.1, "SIL"), (0.1, 0.25, "bilabial")]
