"""GRID's sentences in the voices of speech synthesisers, with the filmed speaker's own motion.

One filmed speaker is one voice. A synthesiser says the same sentence in any number of them, and PocketSphinx finds the
same phones in both, so the filmed motion can be brought to the synthetic sound phone by phone. Unlike a motion
learned from phones (prepare_librispeech) it stays real motion, and the words are the corpus' own.

The synthesisers are eSpeak NG (GPL 3) and Flite (BSD-like, voices of CMU ARCTIC); both come with Debian. Only what is
learned from their sound is kept.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE
from makeittalk.exchange.errors import InputError, MakeItTalkError, MissingError
from makeittalk.exchange.progress import Progress, silent

from ..data.augment import at
from ..data.clips import Clip, Prepared
from ..data.phone_files import FOLDER, aligned_words, keep_phones
from ..data.phones import Aligner, Phone

VERSIONS = 3  # voices that say each sentence
_PAD = 0.2  # s of near silence before and behind
_RATIO = (0.55, 1.6)  # how much longer the synthetic sentence may be
_SOFTEN = 9  # frames over which the pace passes from one phone to the next
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

    def say(self, text: str, rng: np.random.Generator) -> np.ndarray:
        """The text in a voice drawn by `rng`, (n,) at 16 kHz; empty where the synthesiser fails."""
        share = rng.random()
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "speech.wav"
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


def prepare_tts(source: str | Path, dest: str | Path, grid: str | Path, progress: Progress = silent) -> Prepared:
    """Writes up to `VERSIONS` clips for each sentence of a prepared GRID folder's training clips.

    Args:
        source: the GRID folder, with `align/` and `audio/`. dest: folder to write, made where missing; clips that are
            there are kept.
        grid: prepared GRID folder.
        progress: told after every sentence.

    Returns:
        The prepared folder. Sentences that come out with other phones than the film's are skipped.

    Raises:
        InputError: the folder was not prepared, or no sentence could be used.
        MissingError: no synthesiser, or PocketSphinx is not installed.
    """
    source, dest, prepared = Path(source), Path(dest), Prepared.load(grid)
    voices, aligner = Synthesiser.find(), Aligner()
    dest.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    skipped: dict[str, str] = {}
    for number, name in enumerate(prepared.train):
        progress(number / len(prepared.train), "Speaking sentences")
        words, filmed = aligned_words(source / "align" / f"{name}.align"), None
        for version in range(VERSIONS):
            target = dest / f"{name}_{version}.npz"
            if not target.is_file():
                # A clip's place in the list draws its voice: preparing again gives the same clips.
                rng = np.random.default_rng([number, version])
                sound = pad(voices.say(spelled(words), rng), rng)
                if filmed is None:
                    samples = load_audio(source / "audio" / f"{name}.flac").samples
                    filmed = keep_phones(
                        dest / FOLDER / f"{name}.json",
                        lambda s=samples, w=words: aligner.align(s, w),  # type: ignore[misc]
                    )
                clip = spoken_clip(prepared.clip(name), target.stem, sound, aligner.align(sound, words), filmed)
                if clip is None:
                    skipped[target.stem] = "Its phones are not those of the film."
                    continue
                clip.save(dest)
            names.append(target.stem)
    if not names:
        raise InputError(f"No sentence of {source} could be spoken.", "Check the synthesiser and the corpus.")
    result = Prepared(dest, "tts", names, [], [], skipped)
    result.save()
    progress(1.0, "Speaking sentences")
    return result


def spelled(words: str) -> str:
    """Words as a synthesiser says them right: single letters by their names."""
    return " ".join("ay" if word == "a" else word.upper() if len(word) == 1 else word for word in words.split())


def pad(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The sound with a little silence around it and a faint noise, since digital silence is never recorded."""
    rest = np.zeros(round(_PAD * SAMPLE_RATE), np.float32)
    padded = np.concatenate([rest, samples, rest])
    level = 1e-4 * 10.0 ** rng.uniform(-1.0, 1.0)
    return padded + (level * rng.standard_normal(len(padded))).astype(np.float32)


def spoken_clip(clip: Clip, name: str, sound: np.ndarray, spoken: list[Phone], filmed: list[Phone]) -> Clip | None:
    """The filmed clip with another sound, its motion brought to that sound's phones; None where they differ."""
    first, second = ([phone for phone in phones if phone[2] != "SIL"] for phones in (spoken, filmed))
    if not first or [phone[2] for phone in first] != [phone[2] for phone in second]:
        return None
    here, there = (np.array([edge for phone in phones for edge in phone[:2]]) for phones in (first, second))
    if not _RATIO[0] < (here[-1] - here[0]) / (there[-1] - there[0]) < _RATIO[1]:
        return None
    sound = normalise_loudness(sound)
    mel = mel_spectrogram(sound)
    landmarks = at(clip.landmarks, time_map(here, there, len(mel)))
    return Clip(name, mel, landmarks, clip.neutral, landmarks, embedding=speaker_embedding(sound))


def time_map(here: np.ndarray, there: np.ndarray, frames: int) -> np.ndarray:
    """Which frame of the film is shown at each frame of the sound, from edges of phones in both (s); (frames,)."""
    rising = np.concatenate([[True], np.diff(here) > 1e-6])
    here, there = here[rising], there[rising]
    # Before and behind the sentence both run at the same pace.
    edges = np.concatenate([[here[0] - 3.0], here, [here[-1] + 3.0]])
    shown = np.concatenate([[there[0] - 3.0], there, [there[-1] + 3.0]])
    place = np.interp(np.arange(frames) / FRAME_RATE, edges, shown) * FRAME_RATE
    window = np.hanning(_SOFTEN + 2)[1:-1]
    return np.convolve(np.pad(place, _SOFTEN // 2, mode="edge"), window / window.sum(), "valid")
