"""Every shipped recipe belongs to a network that can be trained by its name."""

from __future__ import annotations

import pytest
from makeittalk_lab.training.train import TASKS
from project import CONFIGS

NETWORK = {"ablation": "content"}


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.toml")))
def test_shipped_recipes_can_be_read(name: str) -> None:
    first = name.partition("_")[0]
    config, _ = TASKS[NETWORK.get(first, first)]
    assert config.load(CONFIGS / f"{name}.toml").steps > 0
