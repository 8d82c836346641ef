"""Where the phones of a corpus' recordings come from: words that are known are aligned, unknown ones recognised."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from makeittalk.exchange.errors import InputError

from .alignment_check import alignment_fault
from .phones import Aligner, Phone
from .transcripts import LEAST_LOGPROB, aligned_words, grid_words, read_transcripts, read_words, spoken_words


class Unaligned(InputError):
    """A recording whose phones nobody can tell; the message says why."""


class PhoneSource:
    """Finds the phones of the recordings in a folder.

    Its words are known by a table `transcripts.tsv`, by `align/NAME.align` (GRID), by `txt/SPEAKER/NAME.txt` (VCTK), or
    by names that are sentence codes of GRID; all others are recognised.

    Args:
        folder: of the recordings, or the corpus that holds them in `audio/`.
        aligner: makes one, when the first is needed.

    Raises:
        InputError: the table of transcripts cannot be read.
    """

    def __init__(self, folder: str | Path, aligner: Callable[[], Aligner] = Aligner) -> None:
        folder = Path(folder)
        self._corpus = folder.parent if folder.name == "audio" else folder
        self._transcripts = read_transcripts(folder) or read_transcripts(self._corpus)
        self._aligner = lru_cache(maxsize=1)(aligner)

    def words(self, name: str) -> list[str]:
        """What a recording says, as `Aligner.align_words` takes it; none where it has to be recognised.

        Raises:
            Unaligned: the folder has transcripts, and this recording's is missing or not to be relied on.
        """
        if not self._transcripts:
            align = self._corpus / "align" / f"{name}.align"
            return aligned_words(align) or read_words(self._corpus, name) or grid_words(name)
        if name not in self._transcripts:
            raise Unaligned("The table of transcripts lacks it.")
        transcript = self._transcripts[name]
        if transcript.mean_logprob < LEAST_LOGPROB:
            raise Unaligned(f"Its transcript is unsure: mean_logprob {transcript.mean_logprob:.3f}.")
        return spoken_words(transcript.text)

    def phones(self, name: str, samples: np.ndarray) -> list[Phone]:
        """The phones of a recording, (n,) at 16 kHz.

        Raises:
            Unaligned: nobody can tell them. MissingError: PocketSphinx is not installed, or what says unknown words.
        """
        words, aligner = self.words(name), self._aligner()
        if not words:
            found = aligner.recognise(samples)
            if not found:
                raise Unaligned("No words were understood in it.")
            return found
        aligned = aligner.align_words(samples, words)
        # Words that the corpus itself names were said; those of a recogniser may not have been.
        fault = alignment_fault(samples, aligned) if self._transcripts or not aligned else ""
        if fault:
            raise Unaligned(fault)
        return [phone for word in aligned for phone in word.phones]
