"""Opens hostile .blend files and does everything with them: `python hostile_blend_run.py ROOT make|run …`.

    make PORTRAIT SPEECH    builds the character that is spoilt: ROOT/base.blend, with the real backend
    run QUICK|ALONE|ALL NAME …    one case after another: spoilt, saved, opened, every step done

ROOT is a folder that the campaign has made; a file `campaign` in it says so. What happens is said line by line, JSON,
in ROOT/progress.jsonl, so that whoever waits knows where Blender died.
"""

from __future__ import annotations

import faulthandler
import json
import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
_SEED = 4  # a take with a blink
#: As many of ARKit's as make a face that is recognised by their names.
_TARGET_KEYS = (
    *("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft"),
    *(
        "mouthFrownRight",
        "mouthStretchLeft",
        "mouthStretchRight",
        "mouthRollLower",
        "mouthRollUpper",
        "mouthShrugLower",
    ),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthShrugUpper"),
    *("eyeBlinkLeft", "eyeBlinkRight", "browInnerUp"),
)
_READING = ("r", "rb", "rt", "br", "U")


class Guard:
    """Looks at what Python itself writes, renames, removes and starts."""

    def __init__(self, allowed: list[Path]) -> None:
        self.allowed = [str(path) + os.sep for path in allowed]
        self.found: list[str] = []
        self.on = False
        sys.addaudithook(self.look)

    def look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if isinstance(flags, int) else False
            if isinstance(path, (str, bytes)) and (writes or (mode is not None and mode not in _READING)):
                self._check(event, path)
        elif event in ("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "shutil.rmtree"):
            if arguments[-1] in (None, -1) or event == "os.truncate":  # else a name in a folder that was looked at
                self._check(event, arguments[0])
        elif event in ("os.rename", "os.link", "os.symlink", "shutil.move"):
            self._check(event, arguments[0])
            self._check(event, arguments[1])
        elif event == "subprocess.Popen":
            backend = os.environ["MAKEITTALK_PYTHON"]
            started = str(arguments[0] or (arguments[1] or [""])[0])
            if started != backend and not started.endswith(("uname", "ldconfig", "lsb_release")):
                self.found.append(f"{event}: {arguments[:2]}")
        elif event in ("os.system", "os.exec", "os.startfile"):
            self.found.append(f"{event}: {arguments}")

    def _check(self, event: str, path: Any) -> None:
        if isinstance(path, int):
            return
        full = os.path.realpath(os.fsdecode(path))
        if full != os.devnull and not any((full + os.sep).startswith(root) for root in self.allowed):
            self.found.append(f"{event}: {full}")


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of everything below a folder."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")
    }


def main(arguments: list[str]) -> int:
    root, command = Path(arguments[0]).resolve(), arguments[1]
    if not (root / "campaign").is_file():
        raise SystemExit(f"{root} was not made for a campaign.")
    import bpy
    from extension import load_extension, part

    load_extension().register()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
    if command == "make":
        make(root, *map(Path, arguments[2:4]))
    else:
        run(root, arguments[2], arguments[3:])
    part("addon.jobs.connection").close()
    return 0


def make(root: Path, portrait: Path, speech: Path) -> None:
    """A character, three objects that take its performance, and saved landmarks."""
    import bpy
    import retarget_targets
    from extension import part

    scene = bpy.context.scene
    scene.makeittalk.portrait, scene.makeittalk.speech, scene.makeittalk.seed = str(portrait), str(speech), _SEED
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    character.name = "Ada"
    character.makeittalk.current.words = "hello there"
    bpy.context.scene.frame_set(part("addon.scene.gestures").blinks(character)[0].first)
    data = bpy.data.meshes.new("Target")
    data.from_pydata([(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)], [], [(0, 1, 2, 3)])
    target = bpy.data.objects.new("Target", data)
    scene.collection.objects.link(target)
    for name in ("Basis", *_TARGET_KEYS):
        block = target.shape_key_add(name=name)
        block.points[2].co.z += 0.2
    armature = bpy.data.objects.new("Target Rig", bpy.data.armatures.new("Target Rig"))
    scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bone = armature.data.edit_bones.new("head")
    bone.head, bone.tail = (0, 0, 0), (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    retarget_targets.mouths(frames=range(1, 10))
    part("addon.scene.character").select(character.makeittalk.rig)
    character.makeittalk.sound.pack() if character.makeittalk.sound is not None else None
    bpy.ops.wm.save_as_mainfile(filepath=str(root / "base.blend"), copy=True)


def run(root: Path, how: str, names: list[str]) -> None:
    import bpy
    import hostile_places
    import hostile_settings
    from hostile_blend_steps import Outcome, Watch, do, steps
    from hostile_datablocks import VARIANTS

    assert hostile_settings.VARIANTS is VARIANTS
    guard = Guard([root / "cases", root / "said", root / "tmp", root / "home"])
    progress = open(root / "progress.jsonl", "a", encoding="utf-8")  # noqa: SIM115 - to the end of the process

    def say(**values: Any) -> None:
        progress.write(json.dumps(values) + "\n")
        progress.flush()

    for name in names:
        folder, said = root / "cases" / name, root / "said"
        for made in (folder, said):
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(parents=True)
        places = hostile_places.Places(folder, root / "outside")
        file = folder / "hostile.blend"
        say(case=name, step="spoil", at=time.time())
        bpy.ops.wm.open_mainfile(filepath=str(root / "base.blend"), load_ui=False)
        from extension import part

        try:
            VARIANTS[name](part("addon.scene.character").active(bpy.context), places)
        except Exception:  # a case that cannot be made tries nothing
            say(case=name, step="spoil", kind="fault", told=traceback.format_exc())
            continue
        bpy.ops.wm.save_as_mainfile(filepath=str(file), copy=True)
        before, inside = listing(root / "outside"), set(listing(folder))
        fresh = False
        guard.on = True
        for step in steps(said):
            if (how != "ALL" and not step.quick) or (how == "ALONE" and step.asks):
                continue
            if not fresh:
                say(case=name, step="open", at=time.time())
                with Watch() as watch:
                    bpy.ops.wm.open_mainfile(filepath=str(file), load_ui=False, use_scripts=False)
                    bpy.context.view_layer.update()
                if watch.raised:
                    say(case=name, step="open", kind="fault", told="\n".join(watch.raised))
                fresh = True
            say(case=name, step=step.name, at=time.time())
            outcome = do(step)
            now = listing(root / "outside")
            outside = [*guard.found, *(f"outside: {path}" for path in now if now[path] != before.get(path))]
            outside += [f"removed: {path}" for path in before if path not in now]
            made = [
                path
                for path in listing(folder)
                if path not in inside
                and path.partition(os.sep)[0] not in ("photoreal", "speech", "frames", "itself.blend")
            ]
            outside += [f"beside the .blend: {path}" for path in made if not path.startswith("f" * 50)]
            guard.found.clear()
            before = now
            inside |= set(made)
            if bpy.context.preferences.filepaths.use_scripts_auto_execute:
                outside.append("scripts were switched on")
            if outside:
                outcome = Outcome("fault", "\n".join(outside), True)
            say(case=name, step=step.name, kind=outcome.kind, told=outcome.told[-3000:])
            fresh = not outcome.changed
        guard.on = False
        say(case=name, step="end", kind="end")


if __name__ == "__main__":
    faulthandler.enable()  # says in the log where Blender was when it died
    try:
        status = main(sys.argv[1:])
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
