"""The training loop of every network: phases, checkpoints, log and devices; the last through Lightning Fabric.

A trainer describes itself as a `Task` and a configuration that extends `LoopConfig`; `run` does the rest. What a
step sees depends on the seed and the step alone, so that a run that was killed goes on to the same end, and one on
several devices learns from what a single one would have seen; dropout alone depends on the process, too.
"""

from __future__ import annotations

import copy
import math
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError, MakeItTalkError
from makeittalk.exchange.progress import Progress, silent
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from . import checkpoint
from .config import LoopConfig
from .devices import make_fabric
from .log import Log
from .task import Draws, Task
from .watch import Watch

if TYPE_CHECKING:
    from lightning_fabric import Fabric


_POLITE = 10.0  # s


def run(task: Task, config: LoopConfig, progress: Progress = silent) -> Path:
    """Trains; a second call goes on from the last checkpoint to the same end.

    On several devices each process runs this very program again (Lightning Fabric starts them, or torchrun has done
    so); the first one alone reports, logs, validates and saves. All see the same folder `out`. Where one of them dies,
    the others end with a sentence and status 1 (`watch`).

    Args:
        task: what to train. config: how.
        progress: told after every step; may raise Cancelled, the last checkpoint stays.

    Returns:
        The folder `out`, which then holds what the task saved, `checkpoint.safetensors` and `log.jsonl`.

    Raises:
        InputError: the devices are not there, a checkpoint does not fit, or the loss became infinite.
        OutputError: the folder cannot be written.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    fabric = make_fabric(config)
    if config.batch < fabric.world_size:
        raise InputError(f"A batch of {config.batch} cannot be shared by {fabric.world_size} devices.", "Enlarge it.")
    if fabric.world_size == 1:
        fabric.launch()
        return _Run(task, config, fabric, progress).train()
    watch = Watch(fabric, task.name)
    try:
        fabric.launch()
        watch.start()
        out = _Run(task, config, fabric, progress).train()
        watch.stop()
        fabric.barrier()  # the first process keeps the store of the watch
    except BaseException as error:
        if isinstance(error, MakeItTalkError) and fabric.global_rank:
            time.sleep(_POLITE)  # what all processes meet the first one tells, and ends its children
        watch.explain(error)
        watch.end_children()
        raise
    return out


class _Run:
    """One process of a training."""

    def __init__(self, task: Task, config: LoopConfig, fabric: Fabric, progress: Progress) -> None:
        self.task, self.config, self.fabric, self.progress = task, config, fabric, progress
        self.out = Path(config.out)
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage.output_error(self.out, error) from error
        if fabric.is_global_zero:
            storage.remove_leftovers(self.out)
        torch.manual_seed(config.seed)
        self.bare = task.networks()
        learning = {name for names in task.phases.values() for name in names}
        self.learning = {name: network for name, network in self.bare.items() if name in learning}
        self.called: dict[str, Any] = {}
        for name, network in self.bare.items():
            if name in learning:
                self.called[name] = fabric.setup_module(network)
            else:
                self.called[name] = fabric.to_device(network).eval().requires_grad_(False)
        self.parameters = {
            phase: [value for name in names for value in self.bare[name].parameters() if value.requires_grad]
            for phase, names in task.phases.items()
        }
        self.adam = {
            phase: torch.optim.Adam(values, config.learning_rate, weight_decay=config.weight_decay)
            for phase, values in self.parameters.items()
        }
        self.averaged = {name: copy.deepcopy(value).eval() for name, value in self.learning.items() if config.average}
        self.kept = self.learning | {f"average of {name}": value for name, value in self.averaged.items()}
        self.first = checkpoint.load(self.out, task.name, self.kept, self.adam)
        if fabric.world_size > 1 and fabric.broadcast(self.first) != self.first:
            raise InputError(f"{self.out} is not the same folder for every process.", "Name one that all machines see.")
        if not self.first and config.start:
            self._start(Path(config.start))
        self.optimizers: dict[str, Any] = {phase: fabric.setup_optimizers(adam) for phase, adam in self.adam.items()}

    def _start(self, folder: Path) -> None:
        if not checkpoint.load(folder, self.task.name, self.learning):
            raise InputError(f"{folder} holds no checkpoint to start from.", "Run that training first.")
        for name, average in self.averaged.items():
            average.load_state_dict(self.learning[name].state_dict())

    def train(self) -> Path:
        """Runs the steps that are left and saves what the task makes of the networks."""
        config, fabric, task = self.config, self.fabric, self.task
        log = Log(self.out)
        spent = log.cut(self.first) if fabric.is_global_zero else 0.0
        began = time.monotonic()
        for step, batch in zip(range(self.first, config.steps), self._batches(), strict=True):
            entry: dict[str, Any] = {"step": step + 1, "rate": float(f"{self._set_rate(step):.4g}")}
            entry |= self._step(step, batch)
            self._average(step)
            if fabric.is_global_zero:
                last = step + 1 == config.steps
                if last or (step + 1) % config.validate_every == 0:
                    entry["validation"] = self._validate()
                entry["seconds"] = round(spent + time.monotonic() - began, 1)
                log.add(entry)
                if last or (step + 1) % config.checkpoint_every == 0:
                    checkpoint.save(self.out, task.name, step + 1, self.kept, self.adam)
                self.progress((step + 1) / config.steps, f"Training {task.name}")
        if fabric.is_global_zero:
            task.save(self._mixed(self._resting()), self.out, {"steps": str(config.steps)})
        fabric.barrier()
        return self.out

    def _step(self, step: int, batch: dict[str, Tensor]) -> dict[str, float]:
        """One update of every phase; the parts of their losses, as the mean over the devices."""
        # Dropout, too, depends on seed, step and process alone.
        torch.manual_seed(int(self._generator(step).integers(2**62)))
        for network in self.learning.values():
            network.train()
        found: dict[str, float] = {}
        for phase, names in self.task.phases.items():
            for other, parameters in self.parameters.items():
                if other != phase:
                    for value in parameters:
                        value.requires_grad_(False)
            for value in self.parameters[phase]:
                value.requires_grad_(True)
            with ExitStack() as stack:
                if self.fabric.world_size > 1:
                    for name in self.learning:
                        stack.enter_context(self.fabric.no_backward_sync(self.called[name], enabled=name not in names))
                parts = self.task.loss(phase, self.called, batch)
                values = self._numbers(parts)
                self._check(step, values["loss"])
                self.optimizers[phase].zero_grad()
                self.fabric.backward(parts["loss"])
            norm = self.fabric.clip_gradients(
                self.bare[names[0]], self.optimizers[phase], max_norm=self.config.clip, error_if_nonfinite=False
            )  # of all that the optimiser holds, whatever the module
            if self.fabric.strategy.precision.precision != "16-mixed":  # which skips such a step and scales less
                self._check(step, float(norm if norm is not None else 0.0))
            self.optimizers[phase].step()
            prefix = "" if len(self.task.phases) == 1 else f"{phase}/"
            found |= {prefix + name: float(f"{value:.5g}") for name, value in values.items()}
        return found

    def _numbers(self, parts: dict[str, Tensor]) -> dict[str, float]:
        values = torch.stack([value.detach().float() for value in parts.values()])
        mean: Any = self.fabric.all_reduce(values, reduce_op="mean")
        return dict(zip(parts, mean.tolist(), strict=True))

    def _check(self, step: int, value: float) -> None:
        """Ends a run before it spoils its networks. Every process sees the same value."""
        if math.isfinite(value):
            return
        raise InputError(
            f"The loss of training {self.task.name} became infinite at step {step + 1}; the last checkpoint stays.",
            "Lower the learning rate and run it again.",
        )

    def _validate(self) -> dict[str, float]:
        with torch.no_grad():
            figures = self.task.validate(self._resting())
        return {name: float(f"{value:.5g}") for name, value in figures.items()}

    def _resting(self) -> dict[str, nn.Module]:
        return {name: self.averaged.get(name, network).eval() for name, network in self.bare.items()}

    def _mixed(self, networks: dict[str, nn.Module]) -> dict[str, nn.Module]:
        """Networks with their share of those that the run began with."""
        share = self.config.start_share
        if not share:
            return networks
        mixed = {name: copy.deepcopy(networks[name]) for name in self.learning}
        if not checkpoint.load(Path(self.config.start), self.task.name, mixed):
            raise InputError(f"{self.config.start} holds no checkpoint to start from.", "Run that training first.")
        for name, network in mixed.items():
            _lerp(network, networks[name], 1.0 - share)
        return networks | mixed

    def _average(self, step: int) -> None:
        """Brings the averaged weights nearer to today's, from the first step on as far as there was any to average."""
        share = 1.0 - min(self.config.average, (step + 1) / (step + 10))
        for name, average in self.averaged.items():
            _lerp(average, self.bare[name], share)

    def _set_rate(self, step: int) -> float:
        rate = self.config.learning_rate * learning_share(step, self.config)
        for adam in self.adam.values():
            for group in adam.param_groups:
                group["lr"] = rate
        return rate

    def _generator(self, step: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, step, self.fabric.global_rank])

    def _batches(self) -> DataLoader[dict[str, Tensor]]:
        """The batches of the steps to come, on the device, made ahead by worker processes where there are any."""
        config, fabric = self.config, self.fabric
        workers, on_gpu = config.workers, fabric.device.type == "cuda"
        if workers < 0:
            workers = min(8, max(1, (os.cpu_count() or 1) // fabric.world_size - 1)) if on_gpu else 0
        loader = DataLoader(
            _Batches(self.task, config.seed, range(fabric.global_rank, config.batch, fabric.world_size)),
            batch_size=None,
            sampler=range(self.first, config.steps),
            num_workers=workers,
            pin_memory=on_gpu,
        )
        return fabric.setup_dataloaders(loader, use_distributed_sampler=False)  # type: ignore[return-value]


def _lerp(network: nn.Module, other: nn.Module, share: float) -> None:
    """Moves a network's weights by a share of the way to another's."""
    new = other.state_dict()
    for key, value in network.state_dict().items():
        if value.is_floating_point():
            value.lerp_(new[key], share)
        else:
            value.copy_(new[key])


class _Batches(Dataset[dict[str, Tensor]]):
    """A process's share of the batch of each step."""

    def __init__(self, task: Task, seed: int, numbers: range) -> None:
        self.task, self.seed, self.numbers = task, seed, numbers

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        return self.task.batch(Draws.of(self.seed, step, self.numbers))


def learning_share(step: int, config: LoopConfig) -> float:
    """Share of the learning rate at a step: a linear start, then a cosine down to zero, or all of it."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    if config.constant:
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * (step - config.warmup) / max(1, config.steps - config.warmup)))
