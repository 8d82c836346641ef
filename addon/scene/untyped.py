"""Blender's gpu module for code that makes its objects: the type stubs know none of their constructors' arguments."""

from __future__ import annotations

from typing import Any

import gpu as _gpu

gpu: Any = _gpu
