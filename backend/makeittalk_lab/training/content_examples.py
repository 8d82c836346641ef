"""What the content branch learns from: clips with their canonical motion, varied."""

from __future__ import annotations

import numpy as np
from makeittalk.exchange.constants import EMBEDDING
from makeittalk.exchange.errors import InputError
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel

from ..data import augment
from ..data.augment import Augment
from ..data.canonical_motion import canonical_motion
from ..data.clips import Clip, Prepared


class ContentExamples:
    """Clips in memory, by folder.

    Attributes:
        clips: all that are trained on. validation: all that are not.
    """

    def __init__(self, folders: list[str], share: list[float], amplitude: list[list[float]]) -> None:
        """
        Args:
            folders: prepared ones. share: how often each is drawn, the same for all when empty.
            amplitude: for each folder, what the motion is multiplied by where the sound is left as recorded, and where
                it is varied; 1 for all when empty.

        Raises:
            InputError: one was not prepared, or holds no clips.
        """
        prepared = [Prepared.load(folder) for folder in folders]
        self._folders: list[list[tuple[Clip, np.ndarray, np.ndarray]]] = []
        self.validation: list[Clip] = []
        for folder in prepared:
            self._folders.append([(clip, *canonical_motion(clip)) for clip in map(folder.clip, folder.train)])
            self.validation += [folder.clip(name) for name in folder.validation]
        if not all(self._folders):
            raise InputError("A data folder holds no clips to train on.", "Run `makeittalk prepare` again.")
        self.clips = [clip for clips in self._folders for clip, _, _ in clips]
        shares = np.array(share or [1.0] * len(folders), float)
        self._share = shares / shares.sum()
        self._amplitude = amplitude or [[1.0, 1.0]] * len(folders)

    def draw(
        self, rng: np.random.Generator, frames: int, options: Augment, average: VoiceAverage
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """One example.

        Args:
            frames: at most. options: of the variation. average: what the features are measured against.

        Returns:
            Normalised mel (T, 80), canonical motion (T, 68, 3), face at rest (68, 3), speaker embedding (256,).
        """
        folder = rng.choice(len(self._folders), p=self._share)
        clips = self._folders[folder]
        clip, face, motion = clips[rng.integers(len(clips))]
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


def known_embedding(clip: Clip) -> np.ndarray:
    """Who speaks in a clip, (256,); zero where nobody knows."""
    return np.zeros(EMBEDDING, np.float32) if clip.embedding is None else clip.embedding
