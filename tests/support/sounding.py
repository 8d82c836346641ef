"""What depends on whether this Blender plays sound."""

from __future__ import annotations

import bpy
import pytest

SOUND = bpy.app.build_options.audaspace
needs_sound = pytest.mark.skipif(not SOUND, reason="this bpy wheel was built without Audaspace, so it plays no sound")
