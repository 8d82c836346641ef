"""A .blend made by somebody hostile: whatever is done with it ends in a sentence or in success.

Never in Python's traceback, never in Blender's death, never in a file where this user has not said so. Broken bytes are
left out: Blender reads the file before anything of the add-on's runs.
"""

from __future__ import annotations

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
        "refused by Blender": len(found.impossible),
    }
    record(name, figures)
    assert not found.faults, "\n\n".join(found.faults)
    assert len(found.ended) + len(found.impossible) == len(names)
    assert set(found.refused["unspoilt"]) == REFUSED  # all else was really done


def test_a_sample_of_hostile_files(campaign: Campaign) -> None:
    judged("hostile .blend, sample", list(SAMPLE), campaign.run(list(SAMPLE), "QUICK"))


@pytest.mark.campaign
def test_every_hostile_file(campaign: Campaign) -> None:
    names = list(VARIANTS)
    judged("hostile .blend", names, campaign.run(names, "ALL", seconds=120.0))
