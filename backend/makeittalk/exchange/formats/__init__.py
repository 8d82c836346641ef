"""The project's files (format 1) as dataclasses: `face.json`, `motion.npz`, `mesh.npz`, `bake.npz`, `moves.npz`,
`cues.npz`.

Pixels are those of the portrait: x right, y down, z away from the viewer. Reading checks every shape, so that
what is loaded can be trusted by the code behind.
"""

from .bake import Bake, Moves
from .checks import FORMAT
from .cues import Cues
from .face import Face
from .mesh import Mesh
from .motion import Motion, MotionParts

__all__ = ["FORMAT", "Bake", "Cues", "Face", "Mesh", "Motion", "MotionParts", "Moves"]
