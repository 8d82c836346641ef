"""Poisson disk sampling of speakers."""

from __future__ import annotations

import numpy as np
from makeittalk_lab.data.poisson_disk import poisson_disk


def test_poisson_disk_keeps_speakers_apart() -> None:
    points = np.random.default_rng(0).random((200, 3))
    chosen = poisson_disk(points, radius=0.2)
    distance = np.linalg.norm(points[chosen][:, None] - points[chosen][None], axis=2)
    assert distance[~np.eye(len(chosen), dtype=bool)].min() > 0.2
    others = np.setdiff1d(np.arange(200), chosen)
    assert np.linalg.norm(points[others][:, None] - points[chosen][None], axis=2).min(1).max() <= 0.2
    assert len(poisson_disk(points, count=30)) == 30
    few = points[poisson_disk(points, count=30)]
    apart = np.linalg.norm(few[:, None] - few[None], axis=2)
    assert np.sort(apart, axis=1)[:, 1].min() > 0.1
    assert len(poisson_disk(points)) == 200 and len(poisson_disk(points[:5], count=9)) == 5
