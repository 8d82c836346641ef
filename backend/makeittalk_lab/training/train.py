"""Trains a network by its name, as a configuration says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from makeittalk.exchange.progress import Progress, silent

from .config import LoopConfig
from .content import ContentTask, ContentTrainingConfig
from .image import ImageTask, ImageTrainingConfig
from .loop import run
from .mouth import MouthTask, MouthTrainingConfig
from .phones import PhonesTask, PhonesTrainingConfig
from .speaker import SpeakerTask, SpeakerTrainingConfig
from .task import Task
from .voice import VoiceTask, VoiceTrainingConfig

#: The configuration and the task of each network.
TASKS: Mapping[str, tuple[type[LoopConfig], Callable[[Any], Task]]] = MappingProxyType(
    {
        "voice": (VoiceTrainingConfig, VoiceTask),
        "content": (ContentTrainingConfig, ContentTask),
        "speaker": (SpeakerTrainingConfig, SpeakerTask),
        "phones": (PhonesTrainingConfig, PhonesTask),
        "image": (ImageTrainingConfig, ImageTask),
        "mouth": (MouthTrainingConfig, MouthTask),
    }
)


def train(network: str, config_path: str | Path, progress: Progress = silent, **overrides: Any) -> Path:
    """Trains as a configuration says; a second call goes on from the last checkpoint to the same end.

    Args:
        network: a key of TASKS. config_path: TOML file, see the network's configuration there.
        progress: told after every step; may raise Cancelled, the last checkpoint stays.
        overrides: values for keys of the configuration, stronger than the file's.

    Returns:
        The folder `out`, which then holds `NETWORK.safetensors` (fp16), the last checkpoint and `log.jsonl`.

    Raises:
        InputError: configuration or data cannot be used. MissingError: a network that the training needs is not there.
    """
    config_class, task_class = TASKS[network]
    config = config_class.load(config_path, **overrides)
    return run(task_class(config), config, progress)
