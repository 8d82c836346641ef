"""A .blend made by somebody hostile: whatever is done with it ends in a sentence or in success.

Never in Python's traceback, never in Blender's death, never in a file where this user has not said so. Broken bytes are
left out: Blender reads the file before anything of the add-on's runs.
"""

from __future__ import annotations

import os

import bpy
import pytest
from campaign_figures import record
from hostile_blend_campaign import Campaign, Found
from hostile_datablocks import VARIANTS
from hostile_places import FOLDERS
from hostile_settings import raw  # its cases, too

assert FOLDERS and raw
#: One of each kind, for every change of the code.
SAMPLE = (
    "unspoilt",
    "mesh_of_another",
    "keys_infinite",
    "character_of_texts",
    "photo_folder_outside",
    "scripted_drivers",
)
#: What is refused to everybody, too: steps on what an unspoilt file has none of or may do already, and what needs a
#: window.
REFUSED = {
    *("revert nothing", "retarget as it is", "drive as it is", "remove retarget", "strip of frames", "speech removed"),
    *("landmarks of the file", "landmarks as it is", "landmarks applied as it is", "preview"),
    *("face of the file", "face chosen", "write there"),
}


def judged(name: str, names: list[str], found: Found) -> None:
    """Asserts that nothing went wrong, and notes the figures."""
    figures = {
        "blender": bpy.app.version_string,
        "cases": len(found.ended),
        "steps": sum(found.steps.values()),
        "done": found.steps["done"],
        "sentences": found.steps["refused"],
        "faults": len(found.faults),
    }
    record(name, figures)
    assert not found.faults, "\n\n".join(found.faults)
    assert len(found.ended) == len(names)
    assert set(found.refused["unspoilt"]) == REFUSED  # all else was really done


def test_a_sample_of_hostile_files(campaign: Campaign) -> None:
    judged("hostile .blend, sample", list(SAMPLE), campaign.run(list(SAMPLE), "QUICK"))


def part_of(names: list[str], part: str) -> list[str]:
    """The names of one part, such as "2/4" for the second of four; the unspoilt case is in each."""
    number, _, count = part.partition("/")
    return [name for at, name in enumerate(names) if name == "unspoilt" or at % int(count) == int(number) - 1]


def test_the_parts_are_the_whole() -> None:
    names = list(VARIANTS)
    parts = [part_of(names, f"{number}/3") for number in (1, 2, 3)]
    assert part_of(names, "1/1") == names and all("unspoilt" in part for part in parts)
    assert {name for part in parts for name in part} == set(names) and sum(map(len, parts)) == len(names) + 2


@pytest.mark.campaign
def test_every_hostile_file(campaign: Campaign) -> None:
    """All of them, or with MAKEITTALK_CAMPAIGN_PART=2/4 the second of four parts: it is hours on a slow machine."""
    part = os.environ.get("MAKEITTALK_CAMPAIGN_PART") or "1/1"
    names = part_of(list(VARIANTS), part)
    judged(f"hostile .blend, part {part}", names, campaign.run(names, "ALL", seconds=120.0))
