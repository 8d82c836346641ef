"""What the speaker-aware branch learns from: a clip's features and motion, and windows of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from makeittalk.animation.lips import shut_mouth
from makeittalk.exchange import storage
from makeittalk.exchange.constants import EMBEDDING, LANDMARKS
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.pose import Canonical
from makeittalk.networks.content_inference import DEFAULT_CONTENT, predict_content
from makeittalk.networks.noise import noise_track
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.speaker import SpeakerConfig
from makeittalk.networks.speaker_inference import speaker_features
from makeittalk.networks.whisper_inference import DEFAULT_WHISPER
from makeittalk.weights.files import fingerprint_of

from ..data.augment import Augment, vary_face
from ..data.clips import Clip, Prepared
from ..data.mapped_npz import read_mapped, write_mapped
from ..data.poisson_disk import poisson_disk
from ..data.splits import speaker_of
from ..evaluation.face_motion import clip_speech
from ..prepare.heads import KIND as CONSTRUCTED
from ..synthetic.head_clips import noise_seed

FOLDER = "speaker_examples"  # beside the clips of a prepared folder
_KEPT = ("features", "embedding", "face", "motion", "lips")
_SEEDS = 2**31
_SHIPPED = "default"


@dataclass
class SpeakerExample:
    """A clip as the branch sees it, canonical.

    Attributes:
        name: the clip's. features: (T, C). embedding: (256,). face: (68, 3).
        motion: (T, 204), Δp: what the landmarks do beyond the lips' Δq. lips: (T, 204), Δq.
        noise: (T, NOISE) that its target was made with, or None for a film, whose noise nobody knows.
    """

    name: str
    features: np.ndarray
    embedding: np.ndarray
    face: np.ndarray
    motion: np.ndarray
    lips: np.ndarray
    noise: np.ndarray | None

    @classmethod
    def kept(
        cls,
        folder: Prepared,
        name: str,
        hears: str,
        average: VoiceAverage | None,
        voice_conversion: str,
        content: str,
        seal: str,
    ) -> SpeakerExample:
        """As `of`, computed once and kept beside the clips, where its arrays are mapped (`mapped_npz`).

        Args:
            name: of the clip. seal: see `example_seal`; what was kept under another one is computed anew.
        """
        path, source = folder.folder / FOLDER / f"{name}.npz", folder.folder / f"{name}.npz"
        storage.check_file(source)
        state = source.stat()
        stamp = f"{seal} {state.st_size} {state.st_mtime_ns}"
        values = read_mapped(path) if path.is_file() else {}
        if str(values.get("stamp", "")) != stamp:
            made = cls.of(folder, folder.clip(name), hears, average, voice_conversion, content)
            path.parent.mkdir(exist_ok=True)
            known = {key: getattr(made, key) for key in _KEPT}
            write_mapped(path, known | {"stamp": stamp})
            values = read_mapped(path)
        noise = noise_track(noise_seed(name), len(values["features"])) if folder.kind == CONSTRUCTED else None
        parts = {key: values[key] for key in _KEPT}
        return cls(name=name, noise=noise, **(parts | {key: np.array(parts[key]) for key in ("embedding", "face")}))

    @classmethod
    def of(
        cls,
        folder: Prepared,
        clip: Clip,
        hears: str,
        average: VoiceAverage | None,
        voice_conversion: str,
        content: str,
    ) -> SpeakerExample:
        """From a clip of a prepared folder.

        Args:
            hears: a kind of `speech_features`. average: what mels are measured against, None where Whisper is heard.
            voice_conversion: weights. content: weights whose Δq is taken from the motion, "default" for the shipped
                ones, empty where the lips do not move.

        Raises:
            InputError: the clip has no speaker embedding or no prosody.
        """
        if clip.embedding is None or clip.prosody is None:
            raise InputError(
                f"The clips of {folder.folder} hold no voices or no prosody.", "Prepare them with a newer version."
            )
        frame = Canonical.of(clip.neutral)
        face = frame.to_canonical(clip.neutral).astype(np.float32)
        speech = clip_speech(folder, clip)
        moved = frame.displacement_to(clip.posed - clip.neutral).astype(np.float32)
        lips = np.zeros_like(moved)
        if content:
            weights = None if content == _SHIPPED else content
            shut = shut_mouth(face).astype(np.float32)
            lips = shut + predict_content(speech, face + shut, weights=weights, voice=voice_conversion)
        constructed = folder.kind == CONSTRUCTED
        return cls(
            clip.name,
            speaker_features(hears, speech, average, voice=voice_conversion),
            clip.embedding.astype(np.float32),
            face,
            (moved - lips).reshape(len(moved), -1),
            lips.reshape(len(moved), -1),
            noise_track(noise_seed(clip.name), len(moved)) if constructed else None,
        )

    def window(self, rng: np.random.Generator, shape: SpeakerConfig, mirror: float) -> dict[str, np.ndarray]:
        """As many frames as see each other in a branch of that shape; see `SpeakerTask.batch`.

        Args:
            mirror: chance that face and motion are mirrored.
        """
        frames = shape.attention
        total = len(self.features)
        start = int(rng.integers(0, max(1, total - frames + 1)))
        shown = np.minimum(np.arange(start, start + frames), total - 1)
        ahead = shape.window - 1 if shape.streaming else 0
        heard = np.minimum(np.arange(start, start + frames + ahead), total - 1)
        # Faces are mirrored here, never reshaped: a head that turns stays rigid.
        flip = Augment(mirror=mirror, shape=0.0, identity=0.0)
        both = np.stack([self.motion[shown], self.lips[shown]]).reshape(-1, LANDMARKS, 3)
        face, both = vary_face(self.face, both, flip, rng)
        motion, lips = both.reshape(2, frames, -1)
        noise = self.noise[shown] if self.noise is not None else noise_track(int(rng.integers(_SEEDS)), frames)
        return {
            "features": self.features[heard].astype(np.float32),
            "embedding": self.embedding,
            "face": face,
            "motion": motion,
            "lips": lips,
            "noise": noise,
            "mask": (np.arange(start, start + frames) < total).astype(np.float32),
        }


def example_seal(hears: str, average: VoiceAverage | None, voice_conversion: str, content: str) -> str:
    """What kept examples depend on besides their clips: the networks that were asked, see `SpeakerExample.of`."""
    parts = [hears, "" if average is None else str(average.to_dict()), content and "lips"]
    if average is not None and hears != "mel":
        parts.append(fingerprint_of(voice_conversion))
    if content:
        parts.append(fingerprint_of(DEFAULT_CONTENT if content == _SHIPPED else content))
    if hears == "whisper" or content == _SHIPPED:
        parts.append(fingerprint_of(DEFAULT_WHISPER))
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def training_clips(folder: Prepared, speakers: int) -> list[str]:
    """The training clips of so many speakers, chosen by Poisson disk sampling of their embeddings; 0 for all."""
    if not speakers:
        return folder.train
    clips: dict[str, list[str]] = {}
    for name in folder.train:
        clips.setdefault(speaker_of(name), []).append(name)
    names = sorted(clips)
    embeddings = np.zeros((len(names), EMBEDDING))
    for row, name in enumerate(names):
        known = [folder.clip(clip, sound=False).embedding for clip in clips[name]]
        embeddings[row] = np.mean([embedding for embedding in known if embedding is not None], axis=0)
    return [clip for index in poisson_disk(embeddings, speakers) for clip in clips[names[index]]]
