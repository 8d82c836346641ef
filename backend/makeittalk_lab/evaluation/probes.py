"""What the code A tells of the speaker and of the phones, by linear probes, beside what the mel tells.

    python -m makeittalk_lab.evaluation.probes WEIGHTS FOLDER [--blocks 32 16 8 4] [--json]

FOLDER was made by `prepare voices`. No probe meets a voice that the network learned from: speakers are sought among the
test voices, each recording being split in time; phones are learned on the validation voices and told on the test
voices. The labels are those of a recogniser.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
from makeittalk.networks.voice import VoiceConversion
from makeittalk.networks.voice_inference import encode, load_voice
from torch import nn

from ..data.clips import Prepared
from ..data.phones import BILABIAL_INDICES, PHONES
from ..data.recordings import UNLABELLED, Recording
from ..tool import exit_status

_LEARNED = 0.6  # share of each recording, from its start, that the speaker's probe learns from
_GAP = round(0.5 * FRAME_RATE)  # frames between that and what it is asked
_STRETCH = round(FRAME_RATE)  # frames averaged where a probe hears a whole second
_STEPS, _DECAY = 60, 1e-4

#: Gives a recording's features, (T, C).
Listener = Callable[[Recording], np.ndarray]


def probe(train: np.ndarray, labels: np.ndarray, test: np.ndarray, classes: int) -> np.ndarray:
    """Multinomial logistic regression on standardised features, fitted by L-BFGS.

    Args:
        train: (N, C). labels: (N,) below `classes`. test: (M, C).

    Returns:
        (M,) the most likely class of each.
    """
    mean, std = train.mean(0), train.std(0) + 1e-5
    known, asked = (torch.from_numpy(((v - mean) / std).astype(np.float32)) for v in (train, test))
    wanted = torch.from_numpy(labels.astype(np.int64))
    layer = nn.Linear(known.shape[1], classes)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=_STEPS, history_size=8, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(layer(known), wanted) + _DECAY * layer.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(step)
    with torch.inference_mode():
        return layer(asked).argmax(1).numpy()


def speaker_accuracy(recordings: list[Recording], hear: Listener, stretch: int = 1) -> float:
    """Share of the later frames of recordings whose speaker is found.

    Args:
        recordings: one a speaker. hear: the features. stretch: frames averaged before a probe hears them.
    """
    parts: tuple[list[np.ndarray], list[np.ndarray]] = [], []
    labels: tuple[list[np.ndarray], list[np.ndarray]] = [], []
    for index, recording in enumerate(recordings):
        heard = hear(recording)
        cut = int(_LEARNED * len(heard))
        for which, part in enumerate((heard[:cut], heard[cut + _GAP :])):
            if stretch > 1:
                starts = range(0, len(part) - stretch + 1, stretch // 4)
                part = np.array([part[s : s + stretch].mean(0) for s in starts]).reshape(-1, part.shape[1])
            parts[which].append(part)
            labels[which].append(np.full(len(part), index))
    train, test = (np.concatenate(rows) for rows in parts)
    told = probe(train, np.concatenate(labels[0]), test, len(recordings))
    return float((told == np.concatenate(labels[1])).mean())


def phone_accuracy(train: list[Recording], test: list[Recording], hear: Listener) -> tuple[float, float]:
    """Share of the test voices' frames whose phone is told, and F1 of the frames of P, B and M."""

    def labelled(recordings: list[Recording]) -> tuple[np.ndarray, np.ndarray]:
        rows = [(hear(r)[known], r.phones[known]) for r in recordings if (known := r.phones != UNLABELLED).any()]
        heard, phones = zip(*rows, strict=True)
        return np.concatenate(heard), np.concatenate(phones)

    (known, phones), (asked, wanted) = labelled(train), labelled(test)
    told = probe(known, phones, asked, len(PHONES))
    shut, heard_shut = np.isin(wanted, BILABIAL_INDICES), np.isin(told, BILABIAL_INDICES)
    both = float((shut & heard_shut).sum())
    return float((told == wanted).mean()), 2.0 * both / max(1.0, float(shut.sum() + heard_shut.sum()))


def _code(network: VoiceConversion, average: VoiceAverage, block: int, recording: Recording) -> np.ndarray:
    return encode(network, normalise_mel(recording.mel, average), recording.embedding, block)


def probe_table(weights: str, folder: str | Path, blocks: list[int]) -> dict[str, dict[str, float]]:
    """The table of probes.

    Args:
        weights: of voice conversion, a listed set or a path. folder: made by `prepare voices`. blocks: lengths.

    Returns:
        By what is heard ("mel", "normalised mel", "A 8" …): `speaker` and `speaker_second` (share of frames and of
        seconds whose speaker is found), `phones` (share of frames told), `bilabials` (F1), and all but the last as
        ratios to the mel: `speaker_ratio` …

    Raises:
        InputError: the folder or the weights cannot be used.
    """
    prepared = Prepared.load(folder)
    validation, test = (
        [Recording.load(prepared.folder / f"{name}.npz") for name in names]
        for names in (prepared.validation, prepared.test)
    )
    model = load_voice(weights)
    network, average = model.network, model.average
    listeners: dict[str, Listener] = {
        "mel": lambda recording: recording.mel,
        "normalised mel": lambda recording: normalise_mel(recording.mel, average),
    }
    for block in blocks:
        listeners[f"A {block}"] = partial(_code, network, average, block)
    table: dict[str, dict[str, float]] = {}
    for name, hear in listeners.items():
        phones, bilabials = phone_accuracy(validation, test, hear)
        row = {
            "speaker": speaker_accuracy(test, hear),
            "speaker_second": speaker_accuracy(test, hear, _STRETCH),
            "phones": phones,
        }
        if name != "mel":
            row |= {f"{key}_ratio": value / max(1e-9, table["mel"][key]) for key, value in row.items()}
        table[name] = row | {"bilabials": bilabials}
    return table


def as_text(table: dict[str, dict[str, float]]) -> str:
    """The table for people, in per cent."""
    keys = list(dict.fromkeys(key for row in table.values() for key in row))
    width = max(map(len, table))
    lines = [" ".join([" " * width, *(f"{key:>{max(8, len(key))}}" for key in keys)])]
    for name, row in table.items():
        shown = (f"{f'{100 * row[key]:.1f}' if key in row else '':>{max(8, len(key))}}" for key in keys)
        lines.append(" ".join([f"{name:<{width}}", *shown]))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m makeittalk_lab.evaluation.probes`."""
    parser = argparse.ArgumentParser("makeittalk_lab.evaluation.probes", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("weights", help="of voice conversion: a listed set, or a .safetensors file")
    parser.add_argument("folder", type=Path, help="made by `makeittalk prepare voices`")
    parser.add_argument("--blocks", type=int, nargs="+", default=[32, 16, 8, 4], help="frames a code")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)

    def work() -> None:
        found = probe_table(options.weights, options.folder, options.blocks)
        print(json.dumps(found, indent=1) if options.json else as_text(found))

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
