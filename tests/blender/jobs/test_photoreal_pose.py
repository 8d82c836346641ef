"""An edit to a head curve turns the head in the photoreal frames by as much, as a detector sees it.

The embedded photo is made to speak, its `head` bone's curve is lifted by ±5° and ±10° of yaw and of roll, and the pose
detected in the new frames is compared with that in the unedited ones.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
from extension import part
from generated import key
from project import ASSETS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

FRAMES = 20
FIRST = 40
TURNS = [(axis, degrees) for axis in ("yaw", "roll") for degrees in (-10.0, -5.0, 5.0, 10.0)]
AXIS = {"yaw": 1, "roll": 2}  # of the bone, and of the portrait, whose directions are opposite
TOLERANCE = 1.5  # degrees, mean of the frames
#: How far each folder's faces are turned against the first's: folder → mean rotation vector in degrees, and its spread.
DETECT = """
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation
from makeittalk.landmarks.face_mesh import find_faces
from makeittalk.landmarks.pose import fit_rigid

def faces(folder, numbers):
    pictures = [np.asarray(Image.open(folder / f"photoreal_{number:05d}.png").convert("RGB")) for number in numbers]
    return np.stack([find_faces(picture)[0].landmarks for picture in pictures])

first, count, still, *others = sys.argv[1:]
numbers = range(int(first), int(first) + int(count))
seen = faces(Path(still), numbers)
neutral = seen.mean(axis=0)
rest = fit_rigid(seen, neutral, scale=True)[0]
found = {}
for name in others:
    turned = fit_rigid(faces(Path(name), numbers), neutral, scale=True)[0]
    vectors = Rotation.from_matrix(turned @ rest.transpose(0, 2, 1)).as_rotvec(degrees=True)
    found[Path(name).name] = [vectors.mean(axis=0).tolist(), vectors.std(axis=0).tolist()]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def detected(extension, backend_python, tmp_path_factory) -> dict[str, list[list[float]]]:
    """Mean and spread of the detected turn for each edit, degrees about the portrait's axes.

    MAKEITTALK_IMAGE_WEIGHTS names another network than the shipped one.
    """
    folder = tmp_path_factory.mktemp("turned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAKEITTALK_PYTHON", backend_python)
        _draw(folder, os.environ.get("MAKEITTALK_IMAGE_WEIGHTS", ""))
    names = ["still", *(f"{axis}{degrees:+.0f}" for axis, degrees in TURNS)]
    command = [backend_python, "-c", DETECT, str(FIRST), str(FRAMES), *(str(folder / name) for name in names)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for name, (mean, spread) in found.items():
        print(name, "detected", np.round(mean, 2), "spread", np.round(spread, 2))
    return found


def _draw(folder: Path, weights: str) -> None:
    """The frames of the speaking photo, unedited and with every edit, each in a folder of its own."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
    scene = bpy.context.scene
    settings = scene.makeittalk
    settings.portrait, settings.speech = str(ASSETS / "portrait_photo.jpg"), str(ASSETS / "speech.flac")
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = FIRST, FIRST + FRAMES - 1
    character.makeittalk.photo_range = "PREVIEW"
    path = part("addon.scene.rig").head_path("rotation_euler")
    for axis, degrees in [("", 0.0), *TURNS]:
        index = AXIS.get(axis, 0)
        key(character.makeittalk.rig, path, -np.radians(degrees), index)
        character.makeittalk.photo_folder = str(folder / (f"{axis}{degrees:+.0f}" if axis else "still"))
        assert bpy.ops.makeittalk.photoreal_frames(weights=weights) == {"FINISHED"}
        key(character.makeittalk.rig, path, 0.0, index)


@pytest.mark.parametrize(("axis", "degrees"), TURNS)
def test_the_detected_pose_turns_by_as_much(detected, axis, degrees):
    mean, _spread = detected[f"{axis}{degrees:+.0f}"]
    assert mean[AXIS[axis]] == pytest.approx(degrees, abs=TOLERANCE), mean
    assert np.abs(np.delete(mean, AXIS[axis])).max() < TOLERANCE, mean
