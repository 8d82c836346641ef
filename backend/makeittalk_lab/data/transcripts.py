"""What recordings say: a table of transcripts, .align files, or GRID's sentence codes, as words to align."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError

TABLE = "transcripts.tsv"
LEAST_LOGPROB = -0.43  # mean of a transcript that is relied on; a tenth of LibriSpeech's lie below it
_COLUMNS = ["file", "mean_logprob", "text"]
_MAX_TABLE = 64 << 20  # bytes
_NO_WORDS = frozenset(("sil", "sp"))

_ABBREVIATIONS = {"mr": "mister", "mrs": "mrs", "dr": "doctor", "st": "saint", "etc": "et cetera", "esq": "esquire"}
_HEADINGS = frozenset("chapter part book volume section act scene letter canto number".split())
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_ROMAN_NUMBER = re.compile(r"(?=[cxlvi])(c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})")
_TOKEN = re.compile(r"\d[\d,]*(?:st|nd|rd|th)?|(?:[A-Za-z]\.){2,}|[A-Za-z']+\.?|&")

#: The words of a GRID sentence by its code: command, colour, preposition, letter, digit, adverb.
_GRID = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: f"{letter}." for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(zip("z123456789", "zero one two three four five six seven eight nine".split(), strict=True)),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


@dataclass(frozen=True)
class Transcript:
    """What a recogniser understood of a recording.

    Attributes:
        text: as it wrote it. mean_logprob: mean logarithm of its words' probabilities, lower where it was unsure.
    """

    text: str
    mean_logprob: float


def read_transcripts(folder: str | Path) -> dict[str, Transcript]:
    """The transcripts of a folder of recordings by their names without suffix; none where it has no `transcripts.tsv`.

    Raises:
        InputError: the table cannot be read.
    """
    path = Path(folder) / TABLE
    if not path.is_file():
        return {}
    rows = storage.read_bytes(path, _MAX_TABLE).decode("utf-8", "replace").splitlines()
    cells = [row.split("\t") for row in rows if row.strip()]
    try:
        if cells[0] != _COLUMNS:
            raise ValueError("columns")
        return {name: Transcript(text, float(logprob)) for name, logprob, text in cells[1:]}
    except (IndexError, ValueError) as error:
        raise InputError(
            f"{path} is no table of transcripts.", f"Its columns are {', '.join(_COLUMNS)}, parted by tabs."
        ) from error


def spoken_words(text: str) -> list[str]:
    """The words of a written text as they are said, lower case, for `pronunciation.pronounce`.

    Numbers stay digits, since they can be read in several ways; letters that are said by their names are the letter
    and a full stop; hyphens part words; abbreviations are written out.
    """
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'")).encode("ascii", "ignore").decode()
    words: list[str] = []
    for found in _TOKEN.finditer(plain):
        words += _spoken(found[0], words[-1] if words else "")
    return words


def _spoken(token: str, before: str) -> list[str]:
    if token == "&":
        return ["and"]
    if token[0].isdigit():
        return [token.replace(",", "")]
    if token.count(".") > 1:
        return _letters(token)
    word = token.rstrip(".").strip("'").lower()
    if not word:
        return []
    if before in _HEADINGS and _ROMAN_NUMBER.fullmatch(word):
        return [str(_roman(word))]
    if word in ("mr", "mrs", "dr") or (token.endswith(".") and word in _ABBREVIATIONS):
        return _ABBREVIATIONS[word].split()
    # An initial, or capitals that nobody can say as a word.
    spelled = word not in "aio" if len(word) == 1 else not set(word) & set("aeiouy'")
    if spelled and token.rstrip(".").isupper():
        return _letters(word)
    # Quotation marks at a word's edge are gone; an apostrophe inside belongs to it ("o'clock").
    return [word]


def _letters(word: str) -> list[str]:
    return [f"{letter}." for letter in word.lower() if letter.isalpha()]


def _roman(word: str) -> int:
    values = [_ROMAN[letter] for letter in word]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))


def aligned_words(path: Path) -> list[str]:
    """The words of an .align file (start, end, word in each line); none where there is no such file."""
    if not path.is_file():
        return []
    rows = (row.split() for row in storage.read_bytes(path, 1 << 20).decode("utf-8", "replace").splitlines())
    words = [row[2] for row in rows if len(row) == 3 and row[2] not in _NO_WORDS]
    return [f"{word}." if len(word) == 1 else word for word in words]


def read_words(corpus: Path, name: str) -> list[str]:
    """The words that a recording of VCTK reads, by its `txt/SPEAKER/NAME.txt`; none where there is no such file."""
    name = re.sub(r"_mic\d$", "", name)
    path = corpus / "txt" / name.partition("_")[0] / f"{name}.txt"
    if not path.is_file() or not path.stat().st_size:
        return []
    return spoken_words(storage.read_bytes(path, 1 << 16).decode("utf-8", "replace"))


def grid_words(name: str) -> list[str]:
    """The words of a GRID clip by its name, `bgbsza` or `s26_bgbsza`; none where the name is no sentence code."""
    code = name.rpartition("_")[2]
    if len(code) != len(_GRID) or any(letter not in words for letter, words in zip(code, _GRID, strict=True)):
        return []
    return [words[letter] for letter, words in zip(code, _GRID, strict=True)]
