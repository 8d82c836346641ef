"""What the content branch learns from: clips with their canonical motion, varied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from makeittalk.animation.lips import gaps
from makeittalk.exchange.constants import EMBEDDING, FRAME_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel

from ..data import augment
from ..data.augment import Augment
from ..data.canonical_motion import canonical_motion
from ..data.clips import Clip, Prepared
from ..data.phone_files import clip_phones
from ..data.phones import phone_track
from ..data.recordings import UNLABELLED, Recording
from ..data.sound_augment import SoundAugment
from ..data.splits import filmed_speaker
from ..data.whisper_versions import HeardVersion, heard_silence, heard_versions
from ..synthetic.phone_motion import PhoneMotion, learn_canonical_phone_motion, to_visemes, viseme_track

TAUGHT = "taught"  # the speaker of clips whose mouth was not filmed
_STILL = 1e-3  # canonical units: the gap of a mouth that moves at all spreads more


@dataclass(frozen=True)
class ContentExample:
    """A clip to learn from.

    Attributes:
        clip: the recording, None where only what Whisper hears of it is needed. speaker: whose mouth it is.
        face: (68, 3), lips shut. motion: (T, 68, 3) from there, both canonical.
        versions: what Whisper hears of it; none where the branch hears its mel.
    """

    clip: Clip | None
    speaker: str
    face: np.ndarray
    motion: np.ndarray
    versions: list[HeardVersion]


class ContentExamples:
    """Clips in memory, by folder.

    Attributes:
        clips: all that are trained on. validation: the folder and the clip of all that are not.
        scales: how far each filmed speaker opens the mouth: spread of the gap, canonical units.
    """

    def __init__(
        self,
        folders: list[str],
        share: list[float],
        amplitude: list[list[float]],
        left_out: Collection[str] = (),
        heard: int = -1,
        sound: SoundAugment | None = None,
        taught: Sequence[str] = (),
    ) -> None:
        """
        Args:
            folders: prepared ones. share: how often each is drawn, the same for all when empty.
            amplitude: for each folder, what the motion is multiplied by where the sound is left as recorded, and where
                it is varied; 1 for all when empty.
            left_out: speakers that nothing is learned from.
            heard: how many varied versions of each clip Whisper hears, -1 where the branch hears the mel.
            sound: how those are varied.
            taught: folders made by `prepare voices`, of people who were not filmed: they get the mouth that the filmed
                ones, those left out apart, make for the same phones. Each counts as one more folder.

        Raises:
            InputError: one was not prepared, or holds no clips, or no phones of a filmed one are known.
        """
        prepared = [Prepared.load(folder) for folder in folders]
        options = sound or SoundAugment()
        self._folders: list[list[ContentExample]] = []
        self.validation: list[tuple[Prepared, Clip]] = []
        for folder in prepared:
            examples = []
            for name in folder.train:
                speaker = filmed_speaker(folder, name)
                if speaker not in left_out:
                    clip = folder.clip(name, sound=heard >= 0)
                    versions: list[HeardVersion] = []
                    if heard >= 0:
                        versions = heard_versions(folder.folder, name, clip.samples, heard, options)
                    examples.append(ContentExample(clip, speaker, *canonical_motion(clip), versions))
            self._folders.append(examples)
            names = [name for name in folder.validation if filmed_speaker(folder, name) not in left_out]
            self.validation += [(folder, folder.clip(name)) for name in names]
        if not any(self._folders):
            raise InputError("The data folders hold no clips to train on.", "Run `makeittalk prepare` again.")
        self.clips = [example.clip for examples in self._folders for example in examples if example.clip is not None]
        self.scales = _scales([example for examples in self._folders for example in examples])
        self._silence = heard_silence() if heard >= 0 else []
        if taught:
            mouth = self._mouth(prepared)
            for folder in map(Prepared.load, taught):
                self._folders.append(_taught(folder, mouth, heard, options))
                self.scales[TAUGHT] = self.mean_scale()
        shares = np.array(share or [1.0] * len(self._folders), float) * [bool(examples) for examples in self._folders]
        self._share = shares / shares.sum()
        self._chances = [_chances(examples) for examples in self._folders]
        self._amplitude = amplitude or [[1.0, 1.0]] * len(self._folders)

    def mean_scale(self) -> float:
        """How far filmed people open their mouths, each of them counting alike: canonical units."""
        return float(np.mean([scale for speaker, scale in self.scales.items() if speaker != TAUGHT]))

    def _any(self, rng: np.random.Generator) -> tuple[int, ContentExample]:
        """The number of a folder and an example in it."""
        folder = int(rng.choice(len(self._folders), p=self._share))
        examples = self._folders[folder]
        return folder, examples[int(rng.choice(len(examples), p=self._chances[folder]))]

    def _mouth(self, prepared: list[Prepared]) -> PhoneMotion:
        """The mouth that the filmed speakers teach, opening as far as they do on average."""
        said, motions, tracks = [], [], []
        for folder, examples in zip(prepared, self._folders, strict=True):
            for example in examples:
                phones = clip_phones(folder, example.clip.name) if example.clip is not None else []
                if phones:
                    said.append(example)
                    motions.append(example.motion * np.float32(self.mean_scale() / self.scales[example.speaker]))
                    tracks.append(phone_track(to_visemes(phones), len(example.motion), FRAME_RATE))
        if not said:
            raise InputError(
                "The phones of no filmed clip are known.", "Run `makeittalk prepare phones` on its folder."
            )
        return learn_canonical_phone_motion([example.face for example in said], motions, tracks, _chances(said))

    def draw_heard(
        self, rng: np.random.Generator, frames: int, options: Augment
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One example as Whisper hears it, its mouth opening as far as people do on average.

        Args:
            frames: at most. options: how faces vary, and how often nobody speaks and the mouth rests.

        Returns:
            Features (T, 512), canonical motion (T, 68, 3), face with its lips shut (68, 3).
        """
        folder, example = self._any(rng)
        if rng.random() < options.silence:
            quiet = self._silence[int(rng.integers(len(self._silence)))]
            start = int(rng.integers(0, max(1, len(quiet) - frames + 1)))
            heard = quiet[start : start + frames].astype(np.float32)
            rest = np.zeros((len(heard), *example.face.shape), np.float32)
            face, rest = augment.vary_face(example.face, rest, options, rng)
            return heard, rest, face
        varied = len(example.versions) > 1 and rng.random() < options.varied
        version = example.versions[int(rng.integers(1, len(example.versions))) if varied else 0]
        count = min(len(version.features), int((len(example.motion) - 1) / version.speed) + 1)
        start = int(rng.integers(0, max(1, count - frames + 1)))
        at = np.arange(start, min(count, start + frames))
        motion = augment.interpolate_frames(example.motion, at * version.speed)
        motion = motion * self._amplitude[folder][int(varied)] * self.mean_scale() / self.scales[example.speaker]
        face, motion = augment.vary_face(example.face, motion, options, rng)
        return version.features[at].astype(np.float32), motion, face

    def draw(
        self, rng: np.random.Generator, frames: int, options: Augment, average: VoiceAverage
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """One example for a branch that hears the mel.

        Args:
            frames: at most. options: of the variation. average: what the features are measured against.

        Returns:
            Normalised mel (T, 80), canonical motion (T, 68, 3), face with its lips shut (68, 3), embedding (256,).
        """
        folder, example = self._any(rng)
        clip, face, motion = example.clip, example.face, example.motion
        assert clip is not None
        varied = rng.random() < options.varied
        shifted = varied and clip.pitch_shifted is not None and rng.random() < options.pitch_shifted
        mel = clip.pitch_shifted if shifted and clip.pitch_shifted is not None else clip.mel
        start = rng.integers(0, max(1, len(mel) - frames + 1))
        mel, motion = mel[start : start + frames], self._amplitude[folder][varied] * motion[start : start + frames]
        if varied:
            count = round(len(mel) / rng.uniform(*options.speed))
            mel, motion = augment.stretch(mel, count), augment.stretch(motion, count)
        mel, motion = augment.pad_pauses(mel, motion, options, rng)
        if rng.random() < options.silence:
            level = float(np.percentile(mel, 95))
            mel = augment.add_noise(np.full_like(mel, augment.QUIET), 100.0 * (augment.QUIET - level), rng)
            motion = np.zeros_like(motion)
        if varied:
            mel = augment.vary_sound(mel, clip.semitones if shifted else 0.0, options, rng)
        face, motion = augment.vary_face(face, motion, options, rng)
        begin = rng.integers(0, max(1, len(mel) - frames + 1))
        features = normalise_mel(mel, average)
        if varied:
            features = augment.mask_bands(features, options, rng)
        return features[begin : begin + frames], motion[begin : begin + frames], face, known_embedding(clip)


def _taught(folder: Prepared, mouth: PhoneMotion, heard: int, sound: SoundAugment) -> list[ContentExample]:
    """Recordings of people who were not filmed, with another's mouth; those whose phones are not known are left out."""
    examples = []
    for name in folder.train:
        recording = Recording.load(folder.folder / f"{name}.npz")
        known = np.flatnonzero(recording.phones != UNLABELLED)
        if len(known):
            track = np.maximum(recording.phones[: known[-1] + 1], 0)
            versions = heard_versions(folder.folder, name, recording.samples, heard, sound)
            examples.append(ContentExample(None, TAUGHT, mouth.face, mouth.motion(viseme_track(track)), versions))
    if not examples:
        raise InputError(f"The phones of no recording in {folder.folder} are known.", "Prepare it with --phones.")
    return examples


def known_embedding(clip: Clip) -> np.ndarray:
    """Who speaks in a clip, (256,); zero where nobody knows."""
    return np.zeros(EMBEDDING, np.float32) if clip.embedding is None else clip.embedding


def _chances(examples: list[ContentExample]) -> np.ndarray:
    """How often each example of a folder is drawn: speakers by the root of how many clips they have."""
    clips = Counter(example.speaker for example in examples)
    chances = np.array([clips[example.speaker] ** -0.5 for example in examples])
    return chances / chances.sum() if len(chances) else chances


def _scales(examples: list[ContentExample]) -> dict[str, float]:
    spreads: dict[str, list[float]] = {}
    for example in examples:
        spreads.setdefault(example.speaker, []).append(float(gaps(example.motion).mean(1).std()))
    return {speaker: max(float(np.mean(values)), _STILL) for speaker, values in spreads.items()}
