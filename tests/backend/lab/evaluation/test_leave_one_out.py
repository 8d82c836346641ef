"""Filmed speakers are left out of a training in turn and measured; short, real trainings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from made_clips import NEUTRAL, talking, write_config
from makeittalk.exchange.errors import InputError
from makeittalk.networks.content_inference import load_content
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.evaluation.leave_one_out import RESULTS, filmed_clips, leave_one_out, table

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short training on two filmed speakers with three clips each, whose mouths open alike."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "grid").mkdir()
    names = []
    for number in range(6):
        clip = talking(number)
        clip.name = f"s{number % 2 + 1}_clip{number}"
        clip.landmarks = NEUTRAL + clip.landmarks - clip.neutral
        clip.save(folder / "grid")
        names.append(clip.name)
    Prepared(folder / "grid", "grid", sorted(names), [], [], {}).save()
    path = write_config(folder, folder / "grid", steps=40)
    text = path.read_text().replace("inputs = 80\nstreaming = true", "inputs = 512\nbidirectional = true")
    path.write_text('features = "whisper"\nversions = 0\n' + text)
    return path


def test_each_speaker_is_measured_by_a_branch_that_never_saw_that_one(recipe: Path) -> None:
    out = recipe.parent / "out"
    first = leave_one_out(recipe, ["s2"])
    assert list(first) == ["s2"] and first["s2"]["clips"] == 3
    notes = load_content(str(out / "without s2" / "content.safetensors")).notes
    assert list(json.loads(notes["scales"])) == ["s1"]
    moved, still = first["s2"]["animation"], first["s2"]["static"]
    assert moved["opening correlation"] > 0.7 > 0.1 > abs(still["opening correlation"])
    assert moved["D-A"] < still["D-A"]
    # What is known is not trained again; the rest joins it.
    (out / "without s2" / "content.safetensors").unlink()
    both = leave_one_out(recipe)
    assert both["s2"] == first["s2"] and set(both) == {"s1", "s2"}
    assert not (out / "without s2" / "content.safetensors").exists()
    assert json.loads((out / RESULTS).read_text()) == both
    lines = table(both).splitlines()
    assert len(lines) == 5 and lines[-1].startswith("| mean |") and len({line.count("|") for line in lines}) == 1


def test_test_clips_stand_for_a_speaker_who_has_some(recipe: Path) -> None:
    prepared = Prepared.load(recipe.parent / "grid")
    assert {who: len(clips) for who, clips in filmed_clips([str(prepared.folder)]).items()} == {"s1": 3, "s2": 3}
    other = Prepared(prepared.folder, "grid", prepared.train[1:], [], prepared.train[:1], {})
    try:
        other.save()
        assert filmed_clips([str(prepared.folder)]) == {"s1": [(Prepared.load(prepared.folder), other.test[0])]}
    finally:
        prepared.save()


def test_nobody_of_that_name_was_filmed(recipe: Path) -> None:
    with pytest.raises(InputError, match=r"no filmed speaker 's9'; there are s1, s2"):
        leave_one_out(recipe, ["s9"])
