"""Which of several faces becomes the character, as chosen in the panel."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from extension import part
from project import ASSETS


@pytest.fixture
def pair(scene, tmp_path):
    """The embedded photo and, to its right, a smaller copy of it."""
    photo = bpy.data.images.load(str(ASSETS / "portrait_photo.jpg"))
    pictures = []
    for side in (512, 360):
        photo.scale(side, side)
        pictures.append(np.array(photo.pixels[:], np.float32).reshape(side, side, 4))
    both = np.full((512, 900, 4), 0.5, np.float32)
    both[:, :512], both[100:460, 530:890] = pictures
    picture = bpy.data.images.new("pair", 900, 512)
    picture.pixels[:] = both.ravel().tolist()
    picture.filepath_raw, picture.file_format = str(tmp_path / "pair.png"), "PNG"
    picture.save()
    return tmp_path / "pair.png"


def middle(character, folder) -> float:
    """Where the face at rest is, px from the left."""
    folder.mkdir()
    motion, _mesh = part("addon.scene.character").kept_files(character)
    with np.load(motion) as arrays:
        return float(arrays["neutral"][:, 0].mean())


def test_the_second_face(pair, backend, tmp_path):
    settings = bpy.context.scene.makeittalk
    settings.portrait, settings.speech = str(pair), str(ASSETS / "speech.flac")
    assert settings.face == 1
    settings.face = 2
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    assert character.makeittalk.face == 2 and "2 faces were found" in character.makeittalk.notices
    assert middle(character, tmp_path / "first") > 530
    settings.face = 1  # is for the next character: a new take keeps its face
    character.makeittalk.seed = 5
    assert bpy.ops.makeittalk.new_take() == {"FINISHED"}
    assert middle(character, tmp_path / "second") > 530


def test_a_number_beyond(pair, backend):
    settings = bpy.context.scene.makeittalk
    settings.portrait, settings.speech, settings.face = str(pair), str(ASSETS / "speech.flac"), 7
    with pytest.raises(RuntimeError, match="There is no face 7 in"):
        bpy.ops.makeittalk.make_it_talk()
    assert part("addon.scene.character").active(bpy.context) is None
