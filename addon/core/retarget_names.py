"""What the keys of somebody else's character mean, told by their names. No bpy here.

A meaning is written `vocabulary:name`, such as `arkit:jawOpen`, `vrm:aa`, `oculus:PP`, `rhubarb:A`, `preston:MBP`,
`microsoft:21`, `mpfb:mouth-open` or, for bones, `rigify:lip.T.L`; presets hold it so. The tables stand in
`retarget_vocabularies`. Case, separators and what an exporter puts before a name are ignored, and so is how it writes
the sides.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .retarget_vocabularies import PREFIXES, VOCABULARIES, Meaning

#: Every meaning by how it is written.
MEANINGS: dict[str, Meaning] = {
    meaning.identifier: meaning for vocabulary in VOCABULARIES.values() for meaning in vocabulary.meanings
}
MOST_NAMES = 10_000  # keys of one object: what an untrusted file may hold at most is not searched further
_ENOUGH = 0.6  # of what a vocabulary says a mouth with: less is chance
_SHORT = 2  # a name no longer than this means something only by itself, or behind what is put before many
_NUMBER = re.compile(r"\.\d{3}$")  # what Blender puts behind the second of a name
_SEPARATOR = re.compile(r"[.:|/ _-]")
_SIDES = {"left": "l", "right": "r"}


@dataclass(frozen=True)
class Matches:
    """What the keys of one object mean.

    Attributes:
        vocabulary: the one that moves the mouth: a name of `VOCABULARIES`, or empty where none was recognised.
        meanings: of every key that is to be driven, by the key's name; one mouth, so of one vocabulary, and eyes,
            brows and gaze of the same or, where it has none, of another. Empty where nothing was recognised.
        known: of every key that was recognised, driven or not, all that it may mean, the vocabularies that fit best
            first: what a list offers.
    """

    vocabulary: str = ""
    meanings: dict[str, str] = field(default_factory=dict)
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)


def match(names: Sequence[str], bones: bool = False) -> Matches:
    """What the keys of an object, or the bones of an armature, mean.

    Args:
        names: as they are written; a Basis may be among them. bones: whether they are bones'.
    """
    names = list(dict.fromkeys(names))[:MOST_NAMES]
    shared = _shared_prefixes(names)
    found: dict[str, dict[str, str]] = {}
    for word, vocabulary in VOCABULARIES.items():
        if vocabulary.bones == bones:
            found[word] = _matched(names, shared, _spellings(vocabulary.meanings))
    ranked = sorted(found, key=lambda word: _rank(word, found[word]), reverse=True)
    ranked = [word for word in ranked if _rank(word, found[word])[0]]
    mouth = next((word for word in ranked if _says(word, found[word]) >= _ENOUGH), "")
    if not mouth and not _eyes(ranked, found):
        return Matches()
    known = {name: tuple(found[word][name] for word in ranked if name in found[word]) for name in names}
    known = {name: meanings for name, meanings in known.items() if meanings}
    return Matches(mouth, _driven(mouth, ranked, found, names), known)


def _eyes(ranked: list[str], found: dict[str, dict[str, str]]) -> bool:
    """Whether something besides a mouth was recognised beyond doubt: both eyes shut, or several others."""
    parts = Counter(MEANINGS[meaning].part for word in ranked for meaning in set(found[word].values()))
    return parts["eyes"] >= 2


def _driven(mouth: str, ranked: list[str], found: dict[str, dict[str, str]], names: Sequence[str]) -> dict[str, str]:
    """One meaning a key and one vocabulary a part of the face."""
    chosen: dict[str, str] = {}
    for part in ("mouth", "emotion", "eyes", "brows", "gaze"):
        words = [mouth] if part == "mouth" else [mouth, *ranked]
        for word in filter(None, words):
            here = {name: meaning for name, meaning in found[word].items() if MEANINGS[meaning].part == part}
            if here and part != "emotion":
                chosen.update({name: meaning for name, meaning in here.items() if name not in chosen})
                break
    meant = set(chosen.values())
    twice = {meaning for meaning in meant if set(MEANINGS[meaning].halves) and set(MEANINGS[meaning].halves) <= meant}
    return {name: chosen[name] for name in names if name in chosen and chosen[name] not in twice}


def _says(word: str, found: dict[str, str]) -> float:
    """The share of what a vocabulary needs for a mouth that was found."""
    needed = VOCABULARIES[word].essential
    return len(needed & {MEANINGS[meaning].name for meaning in found.values()}) / len(needed)


def _rank(word: str, found: dict[str, str]) -> tuple[float, ...]:
    """How well a vocabulary fits: ARKit before any other where enough of it is there, else the most keys."""
    enough = _says(word, found) >= _ENOUGH
    moves = len({meaning for meaning in found.values() if MEANINGS[meaning].part == "mouth"})
    order = list(VOCABULARIES).index(word)
    return float(bool(found)), float(enough), float(enough and word == "arkit"), float(moves), -float(order)


def _matched(names: Sequence[str], shared: frozenset[str], spellings: dict[str, str]) -> dict[str, str]:
    found = {}
    for name in names:
        meaning = next((spellings[text] for text in _readings(name, shared) if text in spellings), None)
        if meaning is not None:
            found[name] = meaning
    return found


def _spellings(meanings: Iterable[Meaning]) -> dict[str, str]:
    """How the meanings of a vocabulary may be written, normalised; of two the first."""
    found: dict[str, str] = {}
    for meaning in meanings:
        for text in (meaning.name, *meaning.variants):
            for spelling in _sided(text):
                found.setdefault(spelling, meaning.identifier)
    return found


def _sided(text: str) -> list[str]:
    """A name and the same with its side written otherwise: mouthSmileLeft, mouthSmile_L, L_mouthSmile."""
    plain = normalised(text)
    found = [plain]
    for long, short in _SIDES.items():
        if plain.endswith(long) and len(plain) > len(long):
            stem = plain.removesuffix(long)
            found += [stem + short, short + stem, long + stem]
    return found


def normalised(text: str) -> str:
    """A name without case, separators and the difference between full and half width."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).lower() if letter.isalnum())


def _readings(name: str, shared: frozenset[str]) -> list[str]:
    """What a name may be read as, the whole first: then without what stands before a separator."""
    whole, name = name[:200], _NUMBER.sub("", name[:200])
    found = list(dict.fromkeys((normalised(whole), normalised(name))))
    for place in _SEPARATOR.finditer(name):
        rest = normalised(name[place.end() :])
        before = normalised(name[: place.end()])
        if len(rest) > _SHORT or name[: place.end()] in shared or before in PREFIXES:
            found.append(rest)
    plain = normalised(name)
    for prefix in PREFIXES:  # those that no separator ends, as in mouthA
        if plain.startswith(prefix):
            found.append(plain.removeprefix(prefix))
    return [text for text in found if text]


def _shared_prefixes(names: Sequence[str]) -> frozenset[str]:
    """What stands before a separator in most names."""
    count = Counter(name[: place.end()] for name in names for place in _SEPARATOR.finditer(name[:200]))
    return frozenset(prefix for prefix, times in count.items() if times >= max(4, 0.5 * len(names)))
