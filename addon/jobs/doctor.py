"""Asks the backend's Python whether everything that is needed works: `makeittalk doctor`, without the backend."""

from __future__ import annotations

import subprocess
import tempfile

import bpy

from ..core import doctor
from ..core.errors import AddonError
from ..core.quiet import QUIET, clean_environment
from . import connection
from .long_job import LongJob

_LONGEST = 1 << 20  # bytes of an answer


class DoctorJob(LongJob):
    """The checks under way.

    Raises:
        AddonError: there is no Python to ask, or it cannot be started.
    """

    def __init__(self) -> None:
        command = [connection.python(), "-I", str(connection.ROOT / "backend" / "serve.py"), "doctor"]
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the job)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                env=clean_environment(),
                **QUIET,
            )
        except OSError as error:
            self._output.close()
            raise AddonError(
                f"The backend's Python could not be started: {error.strerror or error} ({command[0]}).",
                "Press Install Backend.",
            ) from error
        self._stopped = False
        self.begin("Trying everything")

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped as asked."""
        return self._stopped

    def poll(self) -> bool:
        """True once the checks are done."""
        return self._process.poll() is not None

    def cancel(self) -> None:
        """Ends the checks."""
        self._stopped = True
        self._process.kill()

    def finish(self, context: bpy.types.Context) -> str:
        """What the checks found, in a sentence.

        Raises:
            AddonError: something that is needed does not work.
        """
        try:
            self._output.seek(0)
            text = self._output.read(_LONGEST).decode("utf-8", "replace")
        finally:
            self.close()
        wrong = doctor.fault(text)
        if wrong:
            raise AddonError(f"The backend does not work: {wrong}", "Press Install Backend.")
        return doctor.praise(text)

    def close(self) -> None:
        """Ends the job."""
        if self._process.poll() is None:
            self._process.kill()
        self._output.close()
        super().close()
