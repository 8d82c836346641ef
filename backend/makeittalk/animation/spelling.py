"""Which phones letters may stand for: enough to tell which part of a recording a written word is.

No dictionary is needed to find words whose order is known in phones that were heard: consonants are spelled much as
they are said, and where several readings are possible the sound decides.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import numpy as np

from ..networks.phones import PHONES

#: Letters, and groups of them, with the phones that they may stand for; the first two are the usual ones.
_READINGS = {
    **{"a": "AE EY AA AH AO IH", "e": "EH IY AH IH EY ER", "i": "IH AY IY AH", "o": "AA OW AO AH UW UH"},
    **{"u": "AH UW UH Y W IH ER", "y": "IY AY Y IH", "b": "B", "c": "K S SH", "d": "D T JH", "f": "F V", "g": "G JH"},
    **{"h": "HH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N NG", "p": "P", "q": "K", "r": "R ER"},
    **{"s": "S Z SH ZH", "t": "T D SH CH", "v": "V F", "w": "W", "x": "K Z", "z": "Z S"},
    **{"th": "TH DH T", "sh": "SH", "ch": "CH K SH", "ph": "F", "ng": "NG", "ck": "K", "wh": "W HH", "gh": "F G"},
    **{"oo": "UW UH AH", "ee": "IY", "ou": "AW UW AH OW", "ow": "OW AW", "oi": "OY", "oy": "OY", "aw": "AO"},
    **{"au": "AO", "ea": "IY EH EY", "ai": "EY", "ay": "EY", "igh": "AY", "ough": "OW AO UW", "ei": "EY IY"},
    **{"ie": "IY AY", "oa": "OW", "ew": "UW", "ui": "UW IH", "dg": "JH", "tch": "CH"},
}
_LONGEST = max(map(len, _READINGS))
VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())
#: Phones that are taken for one another.
_ALIKE = tuple(
    frozenset(group.split())
    for group in ("P B M", "T D S Z TH DH N CH JH SH ZH", "K G NG", "F V", "R ER W", "L W", "IY Y", "UW W")
)
# What it costs that a letter stands for a phone: an unusual reading, a vowel for another, what sounds alike, the rest.
_UNUSUAL, _OTHER_VOWEL, _SIMILAR, _WRONG, _SILENT = 0.2, 0.8, 1.2, 2.5, 4.0
_ANY_SOUND = 0.6  # a sign whose sound nobody knows, such as a digit or a letter of another script
_MUTE_VOWEL, _MUTE_GROUP, _MUTE = 0.5, 0.7, 0.8  # what it costs that letters are not said


def letters_of(word: str) -> str:
    """What of a word is spelled: small letters and digits, without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def graphemes(word: str) -> list[str]:
    """The groups of letters that a word is spelled with; of two like letters in a row one."""
    letters = re.sub(r"([^\W\d_aeiou])\1", r"\1", letters_of(word))
    found: list[str] = []
    while letters:
        sizes = range(min(_LONGEST, len(letters)), 0, -1)
        size = next((size for size in sizes if letters[:size] in _READINGS), 1)
        found.append(letters[:size])
        letters = letters[size:]
    return found


@lru_cache(maxsize=4096)
def reading_costs(grapheme: str) -> np.ndarray:
    """What it costs that a grapheme stands for each phone, (len(PHONES),): 0 for its usual readings."""
    readings = _READINGS.get(grapheme, "").split()
    if not readings:
        costs = np.full(len(PHONES), _ANY_SOUND)
    else:
        costs = np.full(len(PHONES), _WRONG)
        if VOWELS & set(readings):
            _at_most(costs, VOWELS, _OTHER_VOWEL)
        for phone in readings:
            for group in _ALIKE:
                if phone in group and phone not in VOWELS:
                    _at_most(costs, group, _SIMILAR)
        for number, phone in enumerate(readings):
            _at_most(costs, {phone}, 0.0 if number < 2 else _UNUSUAL)
    costs[0] = _SILENT
    costs.flags.writeable = False
    return costs


def mute_cost(grapheme: str) -> float:
    """What it costs that a grapheme is not said."""
    if grapheme in "aeiouyh":
        return _MUTE_VOWEL
    return _MUTE_GROUP if len(grapheme) > 1 or grapheme not in _READINGS else _MUTE


def _at_most(costs: np.ndarray, phones: frozenset[str] | set[str], limit: float) -> None:
    columns = [PHONES.index(phone) for phone in phones]
    costs[columns] = np.minimum(costs[columns], limit)
