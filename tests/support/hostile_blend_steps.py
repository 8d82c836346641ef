"""Everything the add-on does with a .blend, step by step: opening, frames, panels, operators. Runs inside Blender."""

from __future__ import annotations

import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import bpy
from extension import part

#: Places of the portrait's face, px: its eyes, nose, mouth and chin, as they are clicked.
_CLICKS = (413.0, 506.0, 611.0, 507.0, 512.0, 609.0, 437.0, 688.0, 587.0, 688.0, 512.0, 702.0, 511.0, 812.0)


@dataclass
class Step:
    """One thing to do.

    Attributes:
        name: what it is called. run: does it; an operator's own set of words tells whether it changed anything.
        asks: whether the backend works for it. quick: whether the short sample does it. keeps: whether it changes
            nothing in the file that is open. several: whether it is more than one operator, of which the first may have
            changed something where the last refuses.
    """

    name: str
    run: Callable[[], Any]
    asks: bool = False
    quick: bool = True
    keeps: bool = False
    several: bool = False


def chain(name: str, *runs: Callable[[], Any], asks: bool = False, quick: bool = True) -> Step:
    """A step of several operators; what the last one answers counts."""
    return Step(name, lambda: [run() for run in runs][-1], asks, quick, several=True)


class Layout:
    """What a panel draws into: it takes anything and looks every property up, as Blender's own does."""

    def __init__(self) -> None:
        self.__dict__["drawn"] = 0

    def __setattr__(self, name: str, value: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return lambda *_arguments, **_named: Layout()

    def prop(self, data: Any, name: str, **_named: Any) -> None:
        if name.startswith("["):
            data[name[2:-2]]
        else:
            getattr(data, name)

    def operator(self, _name: str, **_named: Any) -> Any:
        return type("Given", (), {})()

    def template_list(self, _list: str, _id: str, data: Any, name: str, *_rest: Any, **_named: Any) -> None:
        for kind in bpy.types.UIList.__subclasses__():
            if kind.__name__ == _list:
                fake = type("List", (), {"layout_type": "DEFAULT", "bitflag_filter_item": 1})()
                for item in getattr(data, name):
                    kind.draw_item(fake, bpy.context, Layout(), data, item, 0, data, _rest[1])


def panels() -> Iterator[tuple[str, Any]]:
    """The add-on's panels."""
    for kind in (*bpy.types.Panel.__subclasses__(), *_below(bpy.types.Panel)):
        if kind.__name__.startswith("MAKEITTALK_"):
            yield kind.__name__, kind


def _below(kind: type) -> Iterator[type]:
    for found in kind.__subclasses__():
        yield from (found, *_below(found))


def draw_panels() -> None:
    for _name, kind in panels():
        if not hasattr(kind, "poll") or kind.poll(bpy.context):
            fake = type("Fake", (), _own(kind))()
            fake.layout = Layout()
            kind.draw(fake, bpy.context)


def _own(kind: type) -> dict[str, Any]:
    """A panel's own methods, which may call each other."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("bl_ext"):
            found |= {name: value for name, value in vars(base).items() if not name.startswith("__")}
    return found


def poll_all() -> None:
    for name in dir(bpy.ops.makeittalk):
        getattr(bpy.ops.makeittalk, name).poll()


def describe_all() -> None:
    """What an operator's dialog and its lists of choices ask for."""
    for kind in _below(bpy.types.Operator):
        if kind.__module__.startswith("bl_ext") and hasattr(kind, "disabled_reason"):
            kind.disabled_reason(bpy.context)


def play() -> None:
    scene = bpy.context.scene
    first = scene.frame_start
    for frame in (first, first + 7, first + 24):
        scene.frame_set(frame)


def turn_amounts() -> None:
    """The sliders: strength of layers, smoothing, where it speaks, what shows."""
    character = part("addon.scene.character").active(bpy.context)
    if character is None:
        return
    settings, session = character.makeittalk, bpy.context.window_manager.makeittalk
    settings.lip, settings.head, settings.blink, settings.gaze, settings.nod = 0.5, 1.7, 0.3, 0.5, 1.3
    session.smooth = 0.5
    settings.lit = not settings.lit
    settings.show_photoreal = not settings.show_photoreal
    settings.every_frame = not settings.every_frame
    if settings.current is not None:
        settings.current.start += 3


def choose_target() -> None:
    character = part("addon.scene.character").active(bpy.context)
    if character is not None:
        character.makeittalk.retarget.target = bpy.data.objects.get("Target")
        character.makeittalk.retarget.head_target = bpy.data.objects.get("Target Rig")


def match() -> None:
    """Chooses the target and matches its names, where that can be."""
    choose_target()
    if bpy.ops.makeittalk.match_retarget.poll():
        bpy.ops.makeittalk.match_retarget()


def choose_mouths(kind: str) -> None:
    """Chooses the drawn mouths, known by their layers or by their frames."""
    character = part("addon.scene.character").active(bpy.context)
    if character is not None:
        character.makeittalk.retarget.target = bpy.data.objects.get("Mouth")
        character.makeittalk.retarget.mouths = kind


def write_there() -> None:
    """Says that frames may go where the file says; forgotten again, as what follows is done by somebody who has not."""
    chosen = part("addon.core.chosen_folders")
    file = chosen._file()
    kept, session = file.read_bytes() if file.is_file() else None, list(chosen._session)
    try:
        bpy.ops.makeittalk.allow_folder()
    finally:
        chosen._session[:] = session
        if kept is None:
            file.unlink(missing_ok=True)
        else:
            file.write_bytes(kept)


def remove_strips() -> None:
    """Takes every strip off the sequencer."""
    strips = part("addon.compat").sequencer_strips(bpy.context.scene)
    for strip in list(strips or ()):
        strips.remove(strip)


def copy() -> None:
    """Alt D and Shift D on a character, and on its collection."""
    character = part("addon.scene.character").active(bpy.context)
    if character is None:
        return
    layer = bpy.context.view_layer
    for item in layer.objects:
        item.select_set(item in character.objects.values())
    if bpy.context.selected_objects:
        bpy.ops.object.duplicate()
        bpy.context.view_layer.update()


def append_itself() -> None:
    """The file's own characters appended, linked and overridden."""
    path = str(Path(bpy.data.filepath).with_name("itself.blend"))
    shutil.copy(bpy.data.filepath, path)
    for link in (False, True):
        with bpy.data.libraries.load(path, link=link) as (there, here):
            here.collections = list(there.collections)
        for item in here.collections:
            if item is None or not item.makeittalk.is_character:
                continue
            bpy.context.scene.collection.children.link(item)
            if link:
                item.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
    bpy.context.view_layer.update()
    draw_panels()


def short_range() -> None:
    """Three frames at the speech, so that drawing takes no minute."""
    scene = bpy.context.scene
    character = part("addon.scene.character").active(bpy.context)
    if character is not None:
        first = max(0, min(character.makeittalk.start, 1_000_000))
        scene.frame_start, scene.frame_end = first, first + 2
        character.makeittalk.photo_range = "SCENE"


def steps(said: Path) -> list[Step]:
    """Everything, in an order in which what follows still has something to do.

    Args:
        said: the folder that this user names for files.
    """
    ops = bpy.ops.makeittalk
    speech, shots = (str(said.parent / name) for name in ("speech.wav", "shots.csv"))

    def export(kind: str, quick: bool) -> Step:
        path = str(said / f"x{kind}")
        return Step(f"export {kind}", lambda: ops.export_character(filepath=path, format=kind), quick=quick, keeps=True)

    rows: list[Step] = [
        Step("frames", play),
        Step("panels", draw_panels, keeps=True),
        Step("polls", poll_all, keeps=True),
        Step("reasons", describe_all, keeps=True),
        Step("amounts", turn_amounts),
        *(export(kind, True) for kind in ("JSON", "CSV", "MDD")),
        *(export(kind, False) for kind in ("GLB", "FBX", "USD", "ABC", "PC2")),
        Step("report", lambda: ops.report_problem(filepath=str(said / "report.txt")), keeps=True),
        Step(
            "visemes", lambda: ops.export_visemes(filepath=str(said / "cues.tsv")), asks=True, quick=False, keeps=True
        ),
        Step("words", lambda: ops.mark_words(text="hello there"), asks=True, quick=False),
        Step("own words", ops.mark_words, asks=True, quick=False),
        chain("phones and no markers", ops.mark_phones, ops.remove_markers, asks=True, quick=False),
        Step("set up", ops.set_up_scene),
        Step("timing", ops.timing_from_strip),
        chain("speech restored", remove_strips, ops.restore_speech),
        Step("gesture", ops.gesture),
        Step("hold still", ops.hold_still),
        Step("remove blink", ops.remove_blink),
        Step("move blink", ops.move_blink),
        chain("edits", ops.gesture, ops.refresh_edits, lambda: ops.jump_to_edit(item=_first_edit())),
        chain("revert", ops.gesture, ops.refresh_edits, lambda: ops.revert_edit(item=_first_edit())),
        Step("revert nothing", lambda: ops.revert_edit(item="x")),
        Step("curves", ops.edit_curves),
        chain("generated curves", ops.edit_generated, play, ops.edit_curves),
        Step("merge", ops.merge),
        chain("merge and split", lambda: ops.merge.poll() and ops.merge(), ops.split),
        chain("match", match, ops.remove_mapping),
        chain("mapping added", choose_target, lambda: ops.add_mapping(target="jawOpen", meaning="arkit:jawOpen")),
        chain("preset", match, lambda: ops.save_retarget_preset(filepath=str(said / "p.json"))),
        chain("preset loaded", choose_target, lambda: ops.load_retarget_preset(filepath=str(said / "p.json"))),
        chain("bake retarget", match, ops.bake_retarget),
        chain("bake and remove", match, ops.bake_retarget, ops.remove_retarget),
        chain("drive", match, ops.drive_retarget, play),
        chain("drive and remove", match, ops.drive_retarget, ops.remove_retarget),
        *(
            chain(
                f"mouths by {kind.lower()}",
                partial(choose_mouths, kind),
                ops.bake_mouths,
                ops.remove_retarget,
                asks=True,
            )
            for kind in ("LAYERS", "FRAMES")
        ),
        Step("retarget as it is", ops.bake_retarget),
        Step("drive as it is", ops.drive_retarget),
        Step("remove retarget", ops.remove_retarget),
        Step("landmarks", ops.edit_character_landmarks),
        chain("landmarks mirrored", ops.edit_character_landmarks, ops.mirror_landmarks),
        chain("landmarks reset", ops.edit_character_landmarks, ops.reset_landmarks),
        chain("landmarks cancelled", ops.edit_character_landmarks, ops.cancel_landmarks),
        Step("landmarks of the file", ops.mirror_landmarks),
        Step("face of the file", lambda: ops.choose_face(number=2)),
        chain("face chosen", ops.edit_character_landmarks, lambda: ops.choose_face(number=2)),
        Step("landmarks as it is", ops.cancel_landmarks),
        Step("landmarks applied as it is", ops.apply_landmarks, asks=True),
        chain(
            "landmarks saved",
            ops.edit_character_landmarks,
            lambda: ops.save_landmarks(filepath=str(said / "face.json")),
            lambda: ops.load_landmarks(filepath=str(said / "face.json")),
        ),
        chain(
            "landmarks placed",
            ops.edit_character_landmarks,
            lambda: ops.place_landmarks(clicks=_CLICKS),
            asks=True,
            quick=False,
        ),
        chain("landmarks refined", ops.edit_character_landmarks, ops.refine_landmarks, asks=True, quick=False),
        chain("landmarks applied", ops.edit_character_landmarks, ops.apply_landmarks, asks=True),
        chain(
            "portrait's landmarks", ops.edit_landmarks, ops.apply_landmarks, ops.drop_landmarks, asks=True, quick=False
        ),
        Step("re-bake", ops.rebake, asks=True),
        chain("re-bake every frame", turn_amounts, ops.rebake, asks=True, quick=False),
        chain("photoreal", short_range, ops.photoreal_frames, ops.photoreal_strip, ops.photoreal_compositor, asks=True),
        Step("write there", write_there),
        Step("strip of frames", ops.photoreal_strip),
        Step("new take", ops.new_take, asks=True, quick=False),
        Step("make", ops.make_it_talk, asks=True, quick=False),
        Step("make from list", lambda: ops.make_from_list(filepath=shots), asks=True, quick=False),
        Step("speech replaced", lambda: ops.replace_speech(filepath=speech), asks=True, quick=False),
        chain(
            "speech added and removed",
            lambda: bpy.context.scene.frame_set(200),
            lambda: ops.add_speech(filepath=speech),
            ops.remove_speech,
            asks=True,
            quick=False,
        ),
        Step("speech removed", ops.remove_speech),
        Step("copy", copy),
        Step("append", append_itself),
        Step("strip as speech", lambda: ops.speech_from_strip(strip=_first_strip())),
        Step("notices", ops.dismiss_notices),
        Step("preview", ops.preview),
        Step("select", lambda: ops.select_character(name="Ada")),
        Step("saved", lambda: bpy.ops.wm.save_as_mainfile(filepath=str(said / "saved.blend"), copy=True), keeps=True),
        Step("removed", ops.remove_character),
    ]
    return rows


def _first_strip() -> str:
    strips = part("addon.compat").sequencer_strips(bpy.context.scene) or ()
    return next((strip.name for strip in strips if strip.type == "SOUND"), "")


def _first_edit() -> str:
    """The first of the list of edits, as its button names it."""
    character = part("addon.scene.character").active(bpy.context)
    found = part("addon.scene.edit_list").shown(character) if character is not None else ()
    return found[0].uid if found else ""


@dataclass
class Outcome:
    """What came of a step.

    Attributes:
        kind: "done", "refused" (the operator's own sentence, or greyed out), or "fault". told: the sentence, or what
            Python printed. changed: whether the file must be opened again before the next step.
    """

    kind: str
    told: str = ""
    changed: bool = False


@dataclass
class Watch:
    """Notes what Python code that Blender calls has raised; Blender prints it and goes on."""

    raised: list[str] = field(default_factory=list)

    def __enter__(self) -> Watch:
        self.before, sys.excepthook = sys.excepthook, self._note
        return self

    def __exit__(self, *_error: object) -> None:
        sys.excepthook = self.before

    def _note(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self.raised.append("".join(traceback.format_exception(kind, error, trace)))


def do(step: Step) -> Outcome:
    """Does a step and judges it."""
    with Watch() as watch:
        try:
            answer = step.run()
            outcome = Outcome("done", changed=not step.keeps)
            if isinstance(answer, set) and answer != {"FINISHED"}:
                outcome = Outcome("refused", str(answer))
        except RuntimeError as error:
            text = str(error)
            refused = "Traceback" not in text and (text.startswith("Error: ") or "poll()" in text)
            outcome = Outcome("refused", text.strip(), step.several)  # what refuses changes nothing: all promise that
            if not refused:
                outcome = Outcome("fault", _all_of(error), changed=True)
        except Exception as error:
            outcome = Outcome("fault", _all_of(error), changed=True)
    if watch.raised:
        return Outcome("fault", "\n".join(watch.raised), changed=True)
    return outcome


def _all_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
