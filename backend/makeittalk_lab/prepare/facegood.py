"""FACEGOOD speech with captured face curves → clips to learn from, played on ICT-FaceKit heads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange import storage
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.registration import resample_landmarks

from ..data.clips import Clip, Prepared
from ..synthetic.landmark_head import HEAD_FILE, LandmarkHead, find_head_file

IDENTITIES = 4  # heads a recording is played on
# s by which the captured curves lag behind the sound, compared with filmed speech: networks that learned from GRID
# agree with all seven recordings best at 30 to 50 ms.
_LATE = 0.04


def prepare_facegood(source: str | Path, dest: str | Path, progress: Progress = silent) -> Prepared:
    """Plays every recording's curves on several random heads and writes one clip each.

    Args:
        source: folder with `*.flac`, `*.npz` (`weights`: frames × channels) and `channels.json`; `ict_facekit.npz`
            lies in it or beside it.
        dest: folder to write, made where missing; clips that are there are kept.
        progress: told after every clip.

    Returns:
        The prepared folder; the last recording of each session validates, on all its heads.

    Raises:
        InputError: a file is missing or damaged.
    """
    source, dest = Path(source), Path(dest)
    recordings = sorted(path for path in source.glob("*.flac") if path.with_suffix(".npz").is_file())
    if not recordings:
        raise InputError(f"{source} holds no recordings with curves.", "Name the folder of FACEGOOD recordings.")
    channels = storage.read_json(source / "channels.json")
    head = LandmarkHead.load(find_head_file(source) or source / HEAD_FILE)
    dest.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    for number, recording in enumerate(recordings):
        samples = mel = curves = voice = None
        for identity in range(IDENTITIES):
            progress((number + identity / IDENTITIES) / len(recordings), "Playing captured curves")
            name = f"{recording.stem}_{identity}"
            names.append(name)
            if (dest / f"{name}.npz").is_file():
                continue
            if mel is None or curves is None:
                samples = normalise_loudness(load_audio(recording).samples)
                mel, voice = mel_spectrogram(samples), speaker_embedding(samples)
                curves = arkit_curves(storage.read_npz(recording.with_suffix(".npz")), channels, head.names)
            # Heads are drawn by the clip's place in the list: preparing again gives the same clips.
            neutral, moved = head.play(curves, np.random.default_rng([number, identity]))
            landmarks = resample_landmarks(moved, float(channels["fps"]), FRAME_RATE)[round(_LATE * FRAME_RATE) :]
            count = min(len(mel), len(landmarks))
            shown = landmarks[:count]
            Clip(name, mel[:count], shown, neutral, shown, embedding=voice, samples=samples).save(dest)
    held = validation_recordings([recording.stem for recording in recordings])
    train, validation = ([name for name in names if (name.rpartition("_")[0] in held) == out] for out in (False, True))
    prepared = Prepared(dest, "facegood", train, validation, [], {})
    prepared.save()
    progress(1.0, "Playing captured curves")
    return prepared


def validation_recordings(recordings: list[str]) -> set[str]:
    """The last recording of each session, the name before the last underscore; none of a session of one."""
    sessions: dict[str, list[str]] = {}
    for name in sorted(recordings):
        sessions.setdefault(name.rpartition("_")[0], []).append(name)
    return {names[-1] for names in sessions.values() if len(names) > 1}


def arkit_curves(values: dict[str, np.ndarray], channels: dict[str, Any], names: list[str]) -> np.ndarray:
    """The captured curves as weights (T, E) of the head's expressions `names`; only channels of the mouth have data.

    Raises:
        InputError: the channels do not fit the curves.
    """
    try:
        weights = np.asarray(values["weights"], np.float64)
        column = {name: index for index, name in enumerate(channels["channels"])}
        curves = np.zeros((len(weights), len(names)))
        for name, rule in channels["arkit"].items():
            if rule["mouth_data"]:
                value = weights[:, [column[channel] for channel in rule["max_of"]]].max(1)
                curves[:, [names.index(target) for target in _targets(name, names)]] = value[:, None]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InputError("The curves and channels.json do not fit together.", "Get the files again.") from error
    return np.clip(curves, 0.0, 1.0)


def _targets(name: str, names: list[str]) -> list[str]:
    """The head's names of an ARKit expression: mouthSmileLeft is mouthSmile_L, browInnerUp both its halves."""
    for side in ("Left", "Right"):
        if name.endswith(side) and f"{name.removesuffix(side)}_{side[0]}" in names:
            return [f"{name.removesuffix(side)}_{side[0]}"]
    return [name] if name in names else [f"{name}_L", f"{name}_R"]
