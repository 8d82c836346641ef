"""Point caches, read back byte by byte as their formats are published."""

from __future__ import annotations

import struct

import numpy as np
from extension import part_outside

point_cache = part_outside("addon.core.point_cache")
POINTS = np.arange(5 * 4 * 3, dtype=np.float32).reshape(5, 4, 3) / 7.0


def test_mdd(tmp_path):
    path = tmp_path / "a.mdd"
    point_cache.write_mdd(path, POINTS, fps=25.0, first=10)
    data = path.read_bytes()
    assert struct.unpack(">ii", data[:8]) == (5, 4)
    np.testing.assert_allclose(np.frombuffer(data, ">f4", 5, 8), np.arange(10, 15) / 25.0)
    np.testing.assert_array_equal(np.frombuffer(data, ">f4", -1, 28).reshape(5, 4, 3), POINTS)


def test_pc2(tmp_path):
    path = tmp_path / "a.pc2"
    point_cache.write_pc2(path, POINTS, first=10)
    data = path.read_bytes()
    assert struct.unpack("<12siiffi", data[:32]) == (b"POINTCACHE2\0", 1, 4, 10.0, 1.0, 5)
    np.testing.assert_array_equal(np.frombuffer(data, "<f4", -1, 32).reshape(5, 4, 3), POINTS)
