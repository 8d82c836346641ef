"""When each of some known words is said: their letters are aligned with the phones that were heard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..exchange.cues import SILENCE, Cue
from ..exchange.errors import InputError
from ..networks.phones import PHONES
from .spelling import VOWELS, graphemes, letters_of, mute_cost, reading_costs

_SPACE = " "
_EXTRA_VOWEL, _EXTRA = 0.6, 0.8  # what it costs that a phone stands in no letter …
_EXTRA_PAUSE = 2.0  # … and that a word is said with a pause in it
_PAUSE_ALONE = 9.0  # what it costs that a space is a sound: more than to leave that out
_WELL = 0.5  # a letter that costs less is said as it is spelled
LEAST_FIT = 0.6  # share of the letters said as they are spelled, below which it was hardly these words
_MOST_STEPS = 2**28  # letters × phones: a quarter of an hour of speech
_LONGEST_WORD = 63  # letters: what is longer is no word, and Blender cuts off names there


def words_of(text: str) -> list[str]:
    """The words of a text as they are written, without the punctuation around them."""
    found = (word.strip("\"'“”‘’«»()[]{}<>.,;:!?…*_~-–—") for word in text.split())
    return [word[:_LONGEST_WORD] for word in found if letters_of(word)]


def word_spans(words: Sequence[str], phones: Sequence[Cue]) -> tuple[list[Cue], float]:
    """When words are said that are known to be said in a recording, in this order.

    The cheapest alignment of their letters with the phones (Needleman and Wunsch 1970): a letter stands for a phone or
    is mute, a phone may stand in no letter, and pauses lie between words.

    Args:
        words: at least one, each with a letter or a digit (`words_of`). phones: without a gap, silences included.

    Returns:
        a cue for each word, in order; a word of which nothing is heard lasts no time, where it would have been said.
        And how well they fit: the share of their letters that are heard as they are spelled.

    Raises:
        InputError: it is too much text for one recording.
    """
    tokens, owners = _tokens(words)
    if len(tokens) * len(phones) > _MOST_STEPS:
        raise InputError("These are too many words for one recording.", "Part the recording and its text.")
    rows = np.array([_space_costs() if token == _SPACE else reading_costs(token) for token in tokens])
    heard = np.array([PHONES.index(phone.name) for phone in phones])
    said = _align(tokens, rows, heard)
    firsts, lasts = np.full(len(words), len(phones)), np.full(len(words), -1)
    spoken = heard != PHONES.index(SILENCE)
    # A phone that no letter stands for belongs to the word of the letter before it.
    for index in np.flatnonzero(spoken):
        word = owners[abs(said[index]) - 1]
        firsts[word], lasts[word] = min(firsts[word], index), index
    matched = said[(said > 0) & spoken]
    fit = float((rows[matched - 1, heard[(said > 0) & spoken]] < _WELL).sum()) / max(
        1, sum(t != _SPACE for t in tokens)
    )
    return _cues(words, phones, firsts, lasts), fit


def _tokens(words: Sequence[str]) -> tuple[list[str], list[int]]:
    """Graphemes with a space between words, before the first and behind the last; and whose word each belongs to."""
    tokens, owners = [_SPACE], [0]
    for number, word in enumerate(words):
        letters = graphemes(word)
        tokens += [*letters, _SPACE]
        owners += [number] * len(letters) + [min(number + 1, len(words) - 1)]
    return tokens, owners


def _space_costs() -> np.ndarray:
    costs = np.full(len(PHONES), _PAUSE_ALONE)
    costs[PHONES.index(SILENCE)] = 0.0
    return costs


def _align(tokens: Sequence[str], rows: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """For each phone (M,) how many tokens lie before its end; negative where it stands in none of them."""
    space = np.array([True, *(token == _SPACE for token in tokens)])
    mute = np.array([0.0 if token == _SPACE else mute_cost(token) for token in tokens])
    passed = np.concatenate([[0.0], np.cumsum(mute)])  # what it costs to leave out the first tokens
    best = passed.copy()
    ways = np.empty((len(heard), len(tokens) + 1), np.uint8)  # 0: the phone is the token's, 1: nobody's, 2: token mute
    for index, phone in enumerate(heard):
        extra = _EXTRA_VOWEL if PHONES[phone] in VOWELS else _EXTRA
        added = np.where(space, 0.0, _EXTRA_PAUSE) if PHONES[phone] == SILENCE else extra
        here, way = best + added, np.ones(len(best), np.uint8)
        paired = best[:-1] + rows[:, phone]
        better = paired <= here[1:]
        here[1:][better], way[1:][better] = paired[better], 0
        best = np.minimum.accumulate(here - passed) + passed
        way[best < here - 1e-9] = 2
        ways[index] = way
    said = np.zeros(len(heard), np.int64)
    token = len(tokens)
    for index in range(len(heard) - 1, -1, -1):
        while ways[index, token] == 2:
            token -= 1
        paired_here = ways[index, token] == 0
        said[index] = token if paired_here else -max(1, token)
        token -= int(paired_here)
    return said


def _cues(words: Sequence[str], phones: Sequence[Cue], firsts: np.ndarray, lasts: np.ndarray) -> list[Cue]:
    """From first to last phone of each word; one without phones lies at the end of the word before it."""
    cues: list[Cue] = []
    here = 0.0
    for word, first, last in zip(words, firsts, lasts, strict=True):
        start, end = (phones[first].start, phones[last].end) if last >= 0 else (here, here)
        cues.append(Cue(start, end, word))
        here = end
    return cues
