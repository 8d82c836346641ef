"""How a content branch does on people nobody filmed for it: each filmed speaker is left out of a training in turn.

python -m makeittalk_lab.evaluation.leave_one_out CONFIG.toml [SPEAKER …]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError

from ..data.clips import Clip, Prepared
from ..data.splits import filmed_speaker
from ..tool import exit_status
from ..training.content import ContentTask, ContentTrainingConfig
from ..training.loop import run
from .face_motion import FaceMotion, motion_metrics, predict_clip

RESULTS = "leave_one_out.json"
_MOST = 100  # clips of a speaker that are measured
_FIGURES = ("opening correlation", "best correlation", "D-LL", "D-VL", "D-A")


def leave_one_out(config_path: str | Path, speakers: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """Trains without each speaker, measures on that one as a character shows it, and keeps the figures in a file.

    Args:
        config_path: recipe of a content branch; its folders of films name the speakers.
        speakers: who is left out in turn, all by default; those that `RESULTS` in the recipe's folder knows are kept.

    Returns:
        By speaker: `clips`, and under `animation` and `static` the mean of each figure.

    Raises:
        InputError: the recipe cannot be used, or there is no such speaker.
    """
    config = ContentTrainingConfig.load(config_path)
    clips = filmed_clips(config.data)
    unknown = set(speakers or ()) - set(clips)
    if unknown:
        raise InputError(f"There is no filmed speaker {min(unknown)!r}.", f"There are {', '.join(sorted(clips))}.")
    path = Path(config.out) / RESULTS
    results: dict[str, dict[str, Any]] = dict(storage.read_json(path)) if path.is_file() else {}
    for speaker in speakers or sorted(clips):
        if speaker in results:
            continue
        out = Path(config.out) / f"without {speaker}"
        changed = ContentTrainingConfig.load(config_path, left_out=[*config.left_out, speaker], out=str(out))
        weights = run(ContentTask(changed), changed) / "content.safetensors"
        results[speaker] = measure(clips[speaker], str(weights))
        storage.write_json(path, results)
    return results


def filmed_clips(folders: list[str]) -> dict[str, list[tuple[Prepared, str]]]:
    """The clips to measure on by filmed speaker: those of a test where there is one, else all."""
    found: dict[str, list[tuple[Prepared, str]]] = {}
    for prepared in map(Prepared.load, folders):
        if prepared.kind == "grid":
            for name in prepared.test or sorted(prepared.train + prepared.validation):
                found.setdefault(filmed_speaker(prepared, name), []).append((prepared, name))
    return found


def measure(clips: list[tuple[Prepared, str]], weights: str) -> dict[str, Any]:
    """Mean figures of the animation and of a face that never moves."""
    rows: dict[str, list[dict[str, float]]] = {"animation": [], "static": []}
    for prepared, name in clips[:_MOST]:
        clip = prepared.clip(name)
        filmed = FaceMotion.filmed(clip)
        moved = FaceMotion.animated(predict_clip(prepared, clip, weights, "cpu", 0))
        rows["animation"].append(motion_metrics(moved, filmed, []))
        rows["static"].append(motion_metrics(_still(clip, filmed), filmed, []))
    mean = {who: {key: float(np.mean([row[key] for row in each])) for key in _FIGURES} for who, each in rows.items()}
    return {"clips": len(rows["static"])} | mean


def _still(clip: Clip, filmed: FaceMotion) -> FaceMotion:
    face = np.repeat(np.asarray(clip.neutral, np.float64)[None], len(filmed.face), 0)
    return FaceMotion(face, np.zeros_like(filmed.rotation), np.zeros_like(filmed.shift))


def table(results: dict[str, dict[str, Any]]) -> str:
    """The figures as lines of a Markdown table, their mean over speakers last."""
    lines = ["| left out | clips | " + " | ".join(_FIGURES) + " | static D-LL | D-VL | D-A |"]
    lines.append("|---" * (len(_FIGURES) + 5) + "|")
    rows = []
    for speaker, row in results.items():
        values = [row["animation"][key] for key in _FIGURES] + [row["static"][key] for key in _FIGURES[2:]]
        rows.append(values)
        lines.append(f"| {speaker} | {row['clips']} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    mean = np.mean(rows, axis=0)
    lines.append("| mean | | " + " | ".join(f"{value:.3f}" for value in mean) + " |")
    return "\n".join(lines)


def main() -> None:
    """Prints the table."""
    if len(sys.argv) < 2:
        raise InputError(str(__doc__).splitlines()[2])
    results = leave_one_out(sys.argv[1], sys.argv[2:] or None)
    print(table(results))
    print(json.dumps(results))


if __name__ == "__main__":
    sys.exit(exit_status(main))
