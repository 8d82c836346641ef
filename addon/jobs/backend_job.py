"""What the jobs of the backend's share: a folder for the files that travel, a request, an answer."""

from __future__ import annotations

import time
from typing import Any

from ...backend.makeittalk.exchange import protocol, temporary
from ..core.client import Job
from ..core.errors import AddonError
from . import connection

_INTERVAL = 0.005  # s between two looks at a job that Blender waits for


class BackendJob:
    """A request to the backend, which is started if need be, and what has come back.

    Args:
        answer: what the backend answers.

    Attributes:
        folder: a new one, for the job's files; `discard` removes it.
        job: the request under way; None until `submit`.

    Raises:
        AddonError: the backend cannot be started.
    """

    def __init__(self, answer: type[Any]) -> None:
        self._answer = answer
        self.job: Job | None = None
        self.client = connection.get()
        self.folder = temporary.new_folder()

    def submit(self, request: Any) -> None:
        """Sends the request."""
        self.job = self.client.submit(request)

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped as asked."""
        return self.job is not None and self.job.cancelled

    def poll(self) -> bool:
        """Takes in what the backend said; True once the job is finished, well or not."""
        self.client.poll()
        return self.job is not None and self.job.finished

    def wait(self) -> None:
        """Blocks until the job is finished."""
        while not self.poll():
            if self.job is not None:
                time.sleep(_INTERVAL)

    def cancel(self) -> None:
        """Asks the backend to stop; `poll` goes on until it has."""
        if self.job is not None:
            self.client.cancel(self.job)

    def answer(self) -> Any:
        """What the backend answered to the finished job.

        Raises:
            AddonError: it failed or was cancelled, or the answer cannot be read.
        """
        if self.job is None:
            raise AddonError("Cancelled.")
        try:
            return self._answer.from_dict(self.job.result())
        except protocol.ProtocolError as error:
            raise AddonError("The backend's answer cannot be read.", "Install both from the same release.") from error

    def discard(self) -> None:
        """Removes the job's folder."""
        temporary.remove(self.folder)
