"""Operators that are done at once, without the backend."""

import bpy

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..jobs.connection import redraw_panels
from .reasons import Reasoned


class AtOnce(Reasoned):
    """What the operators share that need no backend; they say what is done."""

    def run(self, context: bpy.types.Context) -> str:
        """Does the work and returns a sentence for the user.

        Raises:
            MakeItTalkError: it cannot be done.
        """
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            message = self.run(context)
        except MakeItTalkError as error:
            redraw_panels()
            return self.fail(context, error)
        return self.tell(context, message)
