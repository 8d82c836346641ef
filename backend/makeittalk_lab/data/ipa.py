"""What the lips do in a sound of any language, by its symbol in the International Phonetic Alphabet."""

from __future__ import annotations

import unicodedata

from .phones import SILENCE, Phone

BILABIAL, LABIODENTAL, ROUNDED, OPEN, OTHER = "bilabial", "labiodental", "rounded", "open", "other"

#: First letters of a symbol; what follows (length, nasality, aspiration, a second vowel) does not change its class. An
#: approximant as Spanish β brings the lips near each other and shuts none.
_CLASSES = {
    **dict.fromkeys("pbmɓʙ", BILABIAL),
    **dict.fromkeys("fvɱⱱ", LABIODENTAL),
    **dict.fromkeys("wɥuoɔyøœʊʏɵʉ", ROUNDED),
    **dict.fromkeys("aɑæɒɶ", OPEN),
}


def lip_class(symbol: str) -> str:
    """The class of a sound: one of the five, or SIL for a pause."""
    if symbol == SILENCE:
        return SILENCE
    return _CLASSES.get(unicodedata.normalize("NFD", symbol)[:1], OTHER)


def lip_classes(phones: list[Phone]) -> list[Phone]:
    """The phones with the class of each in the place of its symbol."""
    return [(start, end, lip_class(symbol)) for start, end, symbol in phones]
