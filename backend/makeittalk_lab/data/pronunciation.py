"""How words are said that PocketSphinx's dictionary does not hold: eSpeak NG's phonemes as ARPAbet, letters, numbers.

CMUdict, the dictionary of the wheel, holds 135,000 words and no number; names of books' people and places are often
missing. eSpeak NG (GPL 3, from Debian) has rules for any word.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import lru_cache

from makeittalk.exchange.errors import InputError, MissingError

#: eSpeak's American English phonemes in the International Phonetic Alphabet, stress taken off, and those of CMUdict.
_ARPABET = {
    **dict(zip("bdfhklmnpstvwz", "B D F HH K L M N P S T V W Z".split(), strict=True)),
    **{"ɡ": "G", "ɹ": "R", "r": "R", "ŋ": "NG", "j": "Y", "ʃ": "SH", "ʒ": "ZH", "θ": "TH", "ð": "DH", "x": "K"},
    **{"ɾ": "T", "ʔ": "T", "tʃ": "CH", "dʒ": "JH", "ɬ": "L", "nʲ": "N Y", "n̩": "AH N", "əl": "AH L"},
    **{"æ": "AE", "ɑː": "AA", "ɑ": "AA", "ɑːɹ": "AA R", "ɔː": "AO", "ɔ": "AO", "ɔːɹ": "AO R", "oːɹ": "AO R"},
    **{"oː": "AO", "ɒ": "AA", "ə": "AH", "ɐ": "AH", "ʌ": "AH", "ɪ": "IH", "ᵻ": "IH", "i": "IY", "iː": "IY"},
    **{"iə": "IY AH", "ɛ": "EH", "ɛɹ": "EH R", "eɪ": "EY", "ɚ": "ER", "ɜː": "ER", "ɪɹ": "IH R", "ʊ": "UH"},
    **{"ʊɹ": "UH R", "u": "UW", "uː": "UW", "oʊ": "OW", "aʊ": "AW", "aɪ": "AY", "ɔɪ": "OY"},
    **{"aɪɚ": "AY ER", "aɪə": "AY AH"},
}
_STRESS = re.compile("[ˈˌ]")
_LIMIT = 10.0  # s until eSpeak NG is given up
_NUMBER = re.compile(r"(\d+)(st|nd|rd|th)?")
_DAYS = 31  # up to here a number may be a day, a chapter or a king: "May 10" is read "May tenth"
_YEARS = range(1000, 2100)
#: Letters that are said otherwise than the dictionary's first entry of the letter.
_LETTERS = {"a": ("EY",), "z": ("Z IY", "Z EH D")}


def pronounce(word: str, known: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    """How a word can be said.

    Args:
        word: lower case; a number is written in digits, the name of a letter as the letter and a full stop ("b.").
        known: the dictionary: phones of a word, more than one where it is said in several ways, () where it has none.

    Returns:
        ARPAbet symbols without stress, in one text for each way.

    Raises:
        InputError: nobody can say this. MissingError: eSpeak NG or num2words is needed and not installed.
    """
    if len(word) == 2 and word[1] == "." and word[0].isalpha():
        return _LETTERS.get(word[0]) or known(word[0])
    if word[:1].isdigit():
        spoken = [[pronounce(part, known)[0] for part in reading.split()] for reading in number_readings(word)]
        return tuple(dict.fromkeys(" ".join(phones) for phones in spoken))
    return known(word) or (_by_rule(word),)


def number_readings(token: str) -> list[str]:
    """The words that a number may be read as, likeliest first: "1705", "13th".

    Raises:
        InputError: it is no whole number. MissingError: num2words is not installed.
    """
    try:
        from num2words import num2words
    except ImportError as error:
        raise MissingError("Numbers need num2words.", "Install it with `pip install num2words`.") from error
    matched = _NUMBER.fullmatch(token)
    if matched is None or len(matched[1]) > 12:
        raise InputError(f"{token!r} is no whole number.", "Write it in words.")
    number = int(matched[1])
    if matched[2]:
        return [_plain(num2words(number, to="ordinal"))]
    cardinal = _plain(num2words(number))
    readings = [cardinal, re.sub(r"\band ", "", cardinal)]
    if number in _YEARS and len(token) == 4:
        hundreds, rest = divmod(number, 100)
        year = [_plain(num2words(number, to="year"))]
        year += [f"{_plain(num2words(hundreds))} hundred and {_plain(num2words(rest))}"] if rest else []
        readings = year + readings
    if cardinal.startswith("one ") and number >= 100:
        readings.append(f"a {cardinal.removeprefix('one ')}")
    if 0 < number <= _DAYS:
        ordinal = _plain(num2words(number, to="ordinal"))
        readings += [ordinal, f"the {ordinal}"]
    return list(dict.fromkeys(readings))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.lower()))


@lru_cache(maxsize=4096)
def _by_rule(word: str) -> str:
    espeak = shutil.which("espeak-ng")
    if espeak is None:
        raise MissingError(f"Nobody says how {word!r} is spoken.", "Install espeak-ng.")
    command = [espeak, "-q", "--ipa", "--sep=_", "-v", "en-us", "--", word]
    try:
        said = subprocess.run(command, capture_output=True, timeout=_LIMIT, check=True).stdout.decode("utf-8")
    except (subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise InputError(f"eSpeak NG cannot say {word!r}.", "Write the word in Latin letters.") from error
    symbols = [symbol for symbol in re.split(r"[_\s]+", _STRESS.sub("", said)) if symbol]
    unknown = [symbol for symbol in symbols if symbol not in _ARPABET]
    if unknown or not symbols:
        raise InputError(
            f"{word!r} is said with sounds that English lacks: {' '.join(symbols)}.", "Spell it otherwise."
        )
    phones = " ".join(_ARPABET[symbol] for symbol in symbols)
    return phones.replace("R R", "R")  # eSpeak writes an R that ends one syllable and begins the next twice
