"""English in the voices of speech synthesisers: eSpeak NG (GPL 3) and Flite (BSD-like, voices of CMU ARCTIC).

Both come with Debian. Only what is learned from their sound is kept.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from makeittalk.audio.loading import load_audio
from makeittalk.exchange import temporary
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import MakeItTalkError, MissingError

_PAD = 0.2  # s of near silence before and behind
_LIMIT = 30.0  # s until a synthesiser that hangs is given up
_ACCENTS = ("en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd")
_VARIANTS = tuple(
    "f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 Andy Alicia Annie steph linda belinda aunty grandma anika Michael max"
    " edward rob victor benjamin zac david adam shelby klatt2 klatt4".split()
)
_FLITE = {"awb": 0.0, "rms": 105.0, "slt": 185.0, "kal16": 110.0}  # voice and its mean pitch in Hz, 0: leave it
_FLITE_SHARE = 0.35  # of the sentences: natural recordings of four people, where eSpeak is formants


@dataclass(frozen=True)
class Synthesiser:
    """The synthesisers of this machine.

    Attributes:
        espeak, flite: their executables, empty where missing.
    """

    espeak: str
    flite: str

    @classmethod
    def find(cls) -> Synthesiser:
        """Looks on the path.

        Raises:
            MissingError: there is none.
        """
        espeak, flite = (shutil.which(name) or "" for name in ("espeak-ng", "flite"))
        if not espeak and not flite:
            raise MissingError("No speech synthesiser was found.", "Install espeak-ng or flite.")
        return cls(espeak, flite)

    def synthesise(self, text: str, rng: np.random.Generator) -> np.ndarray:
        """The text in a voice drawn by `rng`, (n,) at 16 kHz; empty where the synthesiser fails."""
        share = rng.random()
        with temporary.folder() as folder:
            out = folder / "speech.wav"
            if self.flite and (share < _FLITE_SHARE or not self.espeak):
                command = self._flite(rng)
                command += ["-t", text, "-o", str(out)]
            else:
                voice = f"{rng.choice(_ACCENTS)}+{rng.choice(_VARIANTS)}"
                pace, pitch = rng.integers(130, 185), rng.integers(25, 75)
                command = [self.espeak, "-v", voice, "-s", str(pace), "-p", str(pitch), "-w", str(out), text]
            try:
                subprocess.run(command, capture_output=True, timeout=_LIMIT, check=True)
                return load_audio(out).samples
            except (subprocess.SubprocessError, MakeItTalkError):
                return np.zeros(0, np.float32)

    def _flite(self, rng: np.random.Generator) -> list[str]:
        voice = str(rng.choice(list(_FLITE)))
        command = [self.flite, "-voice", voice, "--setf", f"duration_stretch={rng.uniform(0.85, 1.15):.2f}"]
        if _FLITE[voice]:
            command += ["--setf", f"int_f0_target_mean={_FLITE[voice] * rng.uniform(0.85, 1.25):.0f}"]
        return command


def spell_letters(words: Sequence[str]) -> str:
    """Words as a synthesiser says them right; letters that are said by their names end with a full stop ("b.")."""
    return " ".join("ay" if word == "a." else word[0].upper() if word.endswith(".") else word for word in words)


def pad_silence(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The sound with a little silence around it and a faint noise, since digital silence is never recorded."""
    rest = np.zeros(round(_PAD * SAMPLE_RATE), np.float32)
    padded = np.concatenate([rest, samples, rest])
    level = 1e-4 * 10.0 ** rng.uniform(-1.0, 1.0)
    return padded + (level * rng.standard_normal(len(padded))).astype(np.float32)
