"""What runs on a node of a Ray cluster: a worker that is given contents and answers with contents.

Imports nothing of Ray: `batch_ray` makes an actor of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

from ..exchange import temporary
from ..exchange.blas import wait_asleep
from ..exchange.version import VERSION
from ..weights import files as weights
from .batch_work import Made, Task, do_shot, sentence_of


class RayWorker:
    """Keeps its networks loaded from shot to shot.

    Args:
        threads: that numpy and torch may take. version, weights: of whoever asks, which have to be those of this node.

    Raises:
        RuntimeError: they are not; with a sentence between two `REFUSED`.
    """

    REFUSED = "‖"

    def __init__(self, threads: int, version: str, sums: str) -> None:
        if (version, sums) != (VERSION, weights_sum()):
            what = f"MakeItTalk {VERSION}" if version != VERSION else "other weights"
            told = f"A node of the cluster has {what}, not those of this machine."
            raise RuntimeError(f"{self.REFUSED}{told}{self.REFUSED}")
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = str(threads)
        wait_asleep()
        temporary.sweep()
        import torch

        torch.set_num_threads(threads)
        from . import shot  # noqa: F401

    def node(self) -> str:
        """The node that this runs on, by its identity."""
        import ray

        return ray.get_runtime_context().get_node_id()

    def make(self, task: Task, names: dict[str, str], *contents: bytes) -> str | tuple[Made, list[bytes]]:
        """Makes a shot: what was made and its files' contents, or a sentence that says why not.

        Args:
            task: its shot names no file of another machine. names: what each content is (portrait, audio …) and what
                its file is called. contents: in the same order.
        """
        try:
            with temporary.folder() as folder:
                files: dict[str, Path] = {}
                for (what, name), content in zip(names.items(), contents, strict=True):
                    files[what] = folder / what / Path(name).name
                    files[what].parent.mkdir()
                    files[what].write_bytes(content)
                options = dict(task.shot.options)
                options |= {name: path for name, path in files.items() if name in ("landmarks", "voice")}
                if "weights" in files:
                    options["weights"] = str(files["weights"])
                shot = dataclasses.replace(task.shot, portrait=files["portrait"], audio=files["audio"], options=options)
                made = do_shot(dataclasses.replace(task, shot=shot), folder / "made")
                return made, [file.path.read_bytes() for file in made.files]
        except Exception as error:
            return sentence_of(error)


def weights_sum() -> str:
    """SHA-256 of the list of weights, which names the sum of each."""
    return hashlib.sha256((weights.FOLDER / weights.SUMS).read_bytes()).hexdigest()
