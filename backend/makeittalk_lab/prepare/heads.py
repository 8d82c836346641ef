"""LibriSpeech voices (Panayotov et al. 2015) with constructed heads: `synthetic.head_clips`.

There is no corpus of many filmed speakers here. So every clip pairs real speech with a head that moves by its real
prosody, in a style that is a function of a speaker embedding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent

from ..data.clips import Prepared
from ..data.poisson_disk import poisson_disk
from ..data.splits import split_voices
from ..synthetic.head_clips import HeadClips, SpeakerRecording
from ..synthetic.head_style import TRAITS, HeadStyles
from ..synthetic.landmark_head import LandmarkHead, find_head_file

KIND = "heads"
_SILENT_SHARE = 0.03  # clips without speech, for each with some


def prepare_heads(
    source: str | Path,
    dest: str | Path,
    progress: Progress = silent,
    variants: int = 6,
    speakers: int = 0,
) -> Prepared:
    """Writes several clips of each voice to learn from, one of each to validate and to test.

    Args:
        source: folder with `*.flac`, one recording a speaker; `ict_facekit.npz` in it or beside it gives the faces,
            the mean face otherwise. dest: folder to write, made where missing; clips that are there are kept.
        variants: clips of a voice to learn from.
        speakers: how many of these voices, chosen by Poisson disk sampling; 0 for all.

    Raises:
        InputError: there are not enough recordings.
    """
    source, dest = Path(source), Path(dest)
    recordings = {path.stem: path for path in sorted(source.glob("*.flac"))}
    train, validation, test = split_voices(recordings)
    if len(train) <= TRAITS:
        raise InputError(f"{source} holds {len(recordings)} recordings, too few.", "Name a folder of many speakers.")
    dest.mkdir(parents=True, exist_ok=True)
    chosen: list[SpeakerRecording] = []
    for number, name in enumerate(train):
        progress(0.2 * number / len(train), "Recognising voices")
        chosen.append(SpeakerRecording.read(recordings[name]))
    embeddings = np.stack([recording.embedding for recording in chosen])
    styles = HeadStyles.fit(embeddings)
    chosen = [chosen[index] for index in poisson_disk(embeddings, speakers)]
    head_file = find_head_file(source)
    maker = HeadClips(styles, chosen, LandmarkHead.load(head_file) if head_file else None)
    splits: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    silent_clips = round(_SILENT_SHARE * len(chosen) * variants)
    total = len(chosen) * variants + silent_clips + len(validation) + len(test)
    made = 0

    def keep(split: str, name: str, recording: SpeakerRecording | None, own: bool = False) -> None:
        nonlocal made
        if not (dest / f"{name}.npz").is_file():
            maker.clip(name, recording, own).save(dest)
        splits[split].append(name)
        made += 1
        progress(0.2 + 0.8 * made / total, "Moving heads")

    for recording in chosen:
        for variant in range(variants):
            keep("train", f"{recording.name}_{variant}", recording)
    for number in range(silent_clips):
        keep("train", f"silence_{number}", None)
    for split, names in (("validation", validation), ("test", test)):
        for name in names:
            keep(split, name, SpeakerRecording.read(recordings[name]), own=True)
    prepared = Prepared(dest, KIND, splits["train"], splits["validation"], splits["test"], {})
    prepared.save()
    return prepared
