"""Every file that a stranger may have made is read through one gate: by few modules, each within bounds of its own.

This looks for whatever reads a file or runs text as code, in Blender's side, the backend and the laboratory. What is
not in the list below fails, and so does what stands there and is no longer needed.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from project import ROOT

SOURCES = sorted(
    path for folder in ("addon", "backend") for path in (ROOT / folder).rglob("*.py") if "wheels" not in path.parts
)
#: What reads, by the end of its dotted name.
CALLS = {
    **dict.fromkeys(("json.load", "json.loads", "json.JSONDecoder"), "json"),
    **dict.fromkeys(("tomllib.load", "tomllib.loads"), "toml"),
    **dict.fromkeys(("np.load", "np.fromfile", "np.loadtxt", "np.genfromtxt", "np.memmap", "mmap.mmap"), "numpy"),
    **dict.fromkeys(("torch.load", "torch.jit.load", "safe_open", "load_file", "safetensors.torch.load"), "torch"),
    **dict.fromkeys(("zipfile.ZipFile", "ZipFile", "shutil.unpack_archive"), "archive"),
    **dict.fromkeys(("csv.reader", "csv.DictReader"), "csv"),
    **dict.fromkeys(("Image.open", "cv2.imread", "cv2.imdecode", "OpenEXR.File"), "picture"),
    **dict.fromkeys(("av.open", "soundfile.SoundFile", "soundfile.read", "cv2.VideoCapture", "wave.open"), "media"),
    **dict.fromkeys(("eval", "exec", "compile", "__import__", "runpy.run_path"), "code"),
}
METHODS = {"read_bytes": "file", "read_text": "file"}
IMPORTS = {"yaml", "xml", "tarfile", "pickle", "marshal", "shelve", "dill", "imageio", "pickletools"}
READS_TENSORS = "read_tensors"  # what safetensors' `load` is called wherever it is imported

#: The gate itself: who reads what, and what bounds it.
GATE = {
    "exchange/storage.py": {
        "file": "read_bytes, the one that all others call: a regular file, of a size that the caller names",
        "toml": "read_toml: small, few parts a key, depth bounded",
        "archive": "read_npz: members, sizes and types are compared before a byte is unpacked",
    },
    "exchange/bounded_json.py": {"json": "loads: digits and depth are bounded"},
    "exchange/tensors.py": {"file": "headers of tensors: sizes are compared with the file before a tensor is read"},
    "exchange/formats/shots.py": {"csv": "lists of shots: the text was read within bounds, its rows are counted"},
    "exchange/formats/motion_table.py": {"file": "tables larger than memory: line by line, each of a length it bounds"},
    "images/decoding.py": {
        "file": "the pictures' own gate, a regular file",
        "picture": "the pictures' own gate: weighed by the header before it is decoded",
    },
    "images/deep_tiff.py": {"picture": "behind decoding.py, which has weighed it"},
    "images/open_exr.py": {"picture": "behind decoding.py: the header alone first, then what was weighed"},
    "images/radiance.py": {"picture": "behind decoding.py, which has weighed it"},
    "images/tiff_samples.py": {"picture": "behind decoding.py, which has weighed it"},
    "audio/container.py": {"media": "the media's own gate: formats listed, no protocols, nothing but the one file"},
    "audio/decoding.py": {
        "file": "recordings of any length are read block by block",
        "media": "libsndfile, for the formats that are told by their first bytes; blocks of a fixed size",
    },
    "landmarks/film.py": {"file": "films of any length are handed to audio/container.py as a stream"},
    "weights/store.py": {"torch": "tensors_in: safetensors' own reader, behind exchange/tensors.py"},
    "weights/released.py": {"torch": "sets larger than memory are mapped, behind their sums and exchange/tensors.py"},
    "weights/torch_archive.py": {"archive": "checkpoints: only where things lie, each bounded; nothing is unpacked"},
    "weights/torch_files.py": {"file": "checkpoints are larger than memory: walked and read a tensor at a time"},
    "backend/makeittalk_lab/data/mapped_npz.py": {
        "archive": "read_mapped: the members' places, each compared with the file",
        "file": "read_mapped: the file is mapped, not read",
        "numpy": "the maps themselves, of sizes that the file really has",
    },
}
#: What reads something else than a stranger's file: what the project ships, has just written, or is told by a program
#: that it has started itself.
ALLOWED: dict[str, dict[str, str]] = {
    "addon/core/client.py": {"file": "the last 8 KiB of the log of the backend that it has started"},
    "addon/core/identities.py": {"file": "sums what the backend has just written into its folder"},
    "addon/core/installation.py": {"file": "opens a file to lock it, reads nothing of it"},
    "addon/core/payload.py": {"file": "packs a result that the backend has just written into its folder"},
    "addon/core/pip_wheel.py": {
        "archive": "pip's wheel, once its SHA-256 was found among the locked ones",
        "file": "compares a wheel's SHA-256, and reads locks that are shipped",
    },
    "addon/core/report.py": {"file": "the last kilobytes of its own logs"},
    "addon/core/retarget_preset.py": {"file": "a preset: its size is asked before, and it is cut at its bound"},
    "addon/write_blend.py": {"file": "the first and last bytes of a .blend that Blender has just written"},
    "audio/loading.py": {"media": "writes the recording, does not read"},
    "audio/sink.py": {"numpy": "maps the temporary file that it has itself written"},
    "exchange/cue_files.py": {"import xml": "escapes and quotes what is written, parses nothing"},
    "exchange/owner.py": {"file": "what Linux says of processes and of itself"},
    "exchange/whole_folder.py": {"file": "opens a file to lock it, reads nothing of it"},
    "exchange/locks.py": {"file": "locks that are shipped beside it"},
    "jobs/batch_ray.py": {"file": "sends a shot's inputs and results to other machines as they are"},
    "jobs/batch_ray_worker.py": {"file": "sends a shot's results back as they are, and sums a shipped list"},
    "jobs/batch_work.py": {
        "file": "what Linux says of its own process",
        "media": "a picture of the film that it has just written",
    },
    "landmarks/face_landmarker.py": {"archive": "the shipped networks, once their listed SHA-256 was compared"},
    "rendering/frame_store.py": {"file": "the last bytes of a picture, which tell whether it is whole"},
    "weights/tensor_file.py": {
        "file": "sorts the header of a file that it has itself just written",
        "json": "that header's notes, which it cuts apart and does not keep",
    },
    "backend/makeittalk_lab/prepare/campaign.py": {
        "file": "opens its own book to lock and to append, reads its last byte"
    },
    "backend/makeittalk_lab/prepare/mouths.py": {"picture": "views that its own Blender has just rendered"},
    "backend/makeittalk_lab/evaluation/picture_states.py": {"picture": "a JPEG that it has just compressed in memory"},
    "backend/makeittalk_lab/losses/perceptual.py": {
        "import pickletools": "lists a pickle's instructions once its SHA-256 was compared, and carries out none",
        "torch": "tensors only (weights_only), once the sum in the file's name was compared",
    },
    "backend/makeittalk_lab/synthetic/camera_noise.py": {"picture": "a JPEG that it has just compressed in memory"},
    "backend/makeittalk_lab/synthetic/human_head.py": {"picture": "textures of a kit, each weighed before"},
}


def kind_of(call: ast.Call) -> str | None:
    """What a call reads, if it does."""
    name = ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
    if name == READS_TENSORS:
        return "torch"
    if name in CALLS and CALLS[name] in ("code",):
        return "code"
    for known, kind in CALLS.items():
        if kind != "code" and (name == known or name.endswith(f".{known}")):
            return None if known == "av.open" and _mode(call, 1, "r") == "w" else kind
    if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
        return None if name.startswith("storage.") else METHODS[call.func.attr]
    if name == "open" or (isinstance(call.func, ast.Attribute) and call.func.attr == "open" and name != "os.open"):
        at = 1 if name == "open" else 0
        if name != "open" and not _is_mode(call):
            return None  # of something else than a path
        mode = _mode(call, at, "r")
        return "file" if "r" in mode or "+" in mode else None
    return None


def _mode(call: ast.Call, at: int, usual: str) -> str:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] + call.args[at : at + 1]
    return str(given[0].value) if given and isinstance(given[0], ast.Constant) else usual


def _is_mode(call: ast.Call) -> bool:
    """Whether a method called `open` is a path's: nothing, or a mode, is its first argument."""
    if not call.args:
        return any(keyword.arg in ("mode", "encoding", "newline") for keyword in call.keywords)
    first = call.args[0]
    return isinstance(first, ast.Constant) and isinstance(first.value, str) and set(first.value) <= set("rwabxt+")


def reads(tree: ast.AST) -> set[str]:
    """The kinds of reading in a module."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (kind := kind_of(node)):
            found.add(kind)
        elif isinstance(node, ast.Import):
            found |= {f"import {n}" for alias in node.names if (n := alias.name.split(".")[0]) in IMPORTS}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            name = (node.module or "").split(".")[0]
            found |= {f"import {name}"} if name in IMPORTS else set()
            if name in ("json", "tomllib", "zipfile"):  # they are called by their modules' names, or not seen here
                found |= {f"from {name}"}
            names = {alias.name: alias.asname or alias.name for alias in node.names}
            if name == "safetensors" and "load" in names and names["load"] != READS_TENSORS:
                found.add("another name of safetensors' load")
    return found


def name_of(path: Path) -> str:
    relative = path.relative_to(ROOT).as_posix()
    return relative.removeprefix("backend/makeittalk/")


def found_everywhere() -> dict[str, set[str]]:
    found = {name_of(path): reads(ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES}
    return {name: kinds for name, kinds in found.items() if kinds}


def test_nothing_is_read_beside_the_gate() -> None:
    known = {name: set(kinds) for name, kinds in (GATE | ALLOWED).items()}
    found = found_everywhere()
    strange = {name: more for name, kinds in found.items() if (more := kinds - known.get(name, set()))}
    assert strange == {}, "read it through exchange/, or say here why not"


def test_the_list_holds_nothing_that_is_not_needed() -> None:
    found = found_everywhere()
    idle = {name: more for name, kinds in (GATE | ALLOWED).items() if (more := set(kinds) - found.get(name, set()))}
    assert idle == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("json.loads(x)", "json"),
        ("open(p)", "file"),
        ("open(p, 'rb')", "file"),
        ("open(p, mode='a+')", "file"),
        ("p.open('rb')", "file"),
        ("p.open(encoding='utf-8')", "file"),
        ("Path(p).read_text()", "file"),
        ("np.load(p)", "numpy"),
        ("torch.load(p)", "torch"),
        ("read_tensors(p)", "torch"),
        ("eval(x)", "code"),
        ("av.open(p, 'r')", "media"),
        ("import pickle", "import pickle"),
        ("from xml.etree import ElementTree", "import xml"),
        ("from json import loads", "from json"),
        ("from safetensors.torch import load", "another name of safetensors' load"),
    ],
)
def test_readers_are_seen(text: str, kind: str) -> None:
    assert reads(ast.parse(text)) == {kind}


@pytest.mark.parametrize(
    "text",
    [
        "open(p, 'wb')",
        "storage.read_bytes(p, 3)",
        "network.eval()",
        "re.compile(x)",
        "av.open(p, 'w')",
        "eye.open(mesh)",
    ],
)
def test_what_reads_nothing_is_not_taken_for_a_reader(text: str) -> None:
    assert reads(ast.parse(text)) == set()


def test_every_entry_says_why() -> None:
    reasons = [reason for kinds in (GATE | ALLOWED).values() for reason in kinds.values()]
    assert all(len(reason.split()) >= 3 for reason in reasons)
