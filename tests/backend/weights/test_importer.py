"""The original checkpoints become a set of weights in the user's data: all of it, or one sentence and nothing."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time

import hostile_checkpoints as hostile
import numpy as np
import pytest
import released_clone
import safetensors.numpy
import torch
from command_line import python, refused
from killing import kill
from makeittalk.cli.main import main
from makeittalk.exchange.data_folder import imported_names, is_set_name, weights_folder
from makeittalk.exchange.errors import Cancelled, InputError, MissingError, OutputError
from makeittalk.weights import importer, tensor_file
from makeittalk.weights.imported import imported_set, list_imported, verify_imported
from makeittalk.weights.importer import import_released
from makeittalk.weights.released_layout import released_layout
from makeittalk.weights.torch_files import open_checkpoint
from project import REFERENCE, ROOT

LAYOUT = released_clone.small_layout()
FILES = sorted(LAYOUT.files)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder of the user's data for each test, and a layout of small tensors."""
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(importer, "released_layout", lambda: LAYOUT)
    return tmp_path / "home"


@pytest.fixture
def clone(tmp_path):
    released_clone.write_clone(tmp_path / "clone", LAYOUT)
    return tmp_path / "clone"


def content(folder):
    """The files of a folder and what is in them."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def checkpoint(clone, name):
    return clone / "examples" / "ckpt" / LAYOUT.networks[name].file


@pytest.mark.parametrize("former", [False, True])
def test_a_clone_becomes_a_set_of_weights(tmp_path, former):
    states = released_clone.write_clone(tmp_path / "clone", LAYOUT, former=former)
    stages = []
    folder = import_released(tmp_path / "clone", progress=lambda fraction, stage: stages.append((fraction, stage)))
    assert folder == weights_folder() / "released" == imported_set("released")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for name, state in states.items():
        found = safetensors.numpy.load_file(folder / f"{name}.safetensors")
        assert found.keys() == state.keys()
        for key, value in state.items():
            assert found[key].dtype == (np.int64 if key.endswith("num_batches_tracked") else np.float32)
            np.testing.assert_array_equal(found[key], value.numpy())
    statistics = safetensors.numpy.load_file(folder / "statistics.safetensors")
    assert {name: value.shape for name, value in statistics.items()} == {
        "band_mean": (80,),
        "band_std": (80,),
        "target_embedding": (256,),
        "mean_face": (68, 3),
    }
    text = np.loadtxt(tmp_path / "clone" / LAYOUT.texts[0].path).astype(np.float32)
    np.testing.assert_array_equal(np.concatenate([statistics["band_mean"], statistics["band_std"]]), text)
    fractions = [fraction for fraction, _stage in stages]
    assert fractions == sorted(fractions) and fractions[0] == 0.0 and fractions[-1] == 1.0
    assert {stage.split()[0] for _fraction, stage in stages} == {"Checking", "Converting", "Verifying"}
    assert [found.name for found in list_imported()] == ["released"]
    assert len(verify_imported("released").files) == 5


def test_the_same_bytes_as_the_safetensors_library_writes(tmp_path):
    values = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.array(2.5, "f4"),
        "ü": np.zeros(0, "f4"),
    }
    values |= {"n": np.array(7), "c": np.arange(3)}
    kinds = {name: "I64" if value.dtype.kind == "i" else "F32" for name, value in values.items()}
    shapes = {name: value.shape for name, value in values.items()}
    order = tensor_file.in_order(kinds)
    tensor_file.write(tmp_path / "x", shapes, kinds, [values[name] for name in order], {"licence": "none"})
    assert (tmp_path / "x").read_bytes() == safetensors.numpy.save(values, {"licence": "none"})


def test_a_folder_of_just_those_files(clone, tmp_path):
    import_released(clone, "first")
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in clone.rglob("*.*"):
        shutil.copy(path, flat)
    import_released(flat, "second")
    import_released(clone / "examples" / "ckpt", "third")  # the clone is found above
    assert imported_names() == ["first", "second", "third"]
    first, *others = (content(weights_folder() / name) for name in imported_names())
    assert all(other == first for other in others)


def test_what_is_missing_is_named(clone, tmp_path, capsys):
    refused(capsys, ["weights", "import", tmp_path / "nowhere"], "nowhere does not exist")
    refused(capsys, ["weights", "import", clone / LAYOUT.texts[0].path], "is not a folder")
    refused(capsys, ["weights", "import", tmp_path], "none of the original checkpoints", "ckpt_autovc.pth")
    refused(capsys, ["weights", "import"], "No folder is named")
    refused(capsys, ["weights", "list", clone], "takes no folder")
    bare = tmp_path / "bare"
    shutil.copytree(clone / "examples" / "ckpt", bare)
    named = ["band means and deviations", "target embedding", "mean face", *(text.path for text in LAYOUT.texts)]
    refused(capsys, ["weights", "import", bare], "lacks the", *named)
    shutil.copy(clone / LAYOUT.texts[1].path, bare)
    refused(capsys, ["weights", "import", bare], "band means and deviations", " and mean face")
    checkpoint(clone, "speaker_branch").unlink()
    checkpoint(clone, "voice_conversion").unlink()
    refused(capsys, ["weights", "import", clone], "lacks ckpt_autovc.pth and ckpt_speaker_branch.pth")
    assert imported_names() == []


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "con", "lpt1", "x" * 41, ".x", "é", "-x", "a\\b", "a\n"])
def test_a_set_is_never_called_like_a_way(clone, capsys, name):
    assert not is_set_name(name)
    with pytest.raises(InputError, match="cannot be called"):
        import_released(clone, name)
    with pytest.raises(InputError, match="cannot be called"):
        imported_set(name)


def test_a_set_is_never_called_like_shipped_weights(clone):
    with pytest.raises(InputError, match="this project"):
        import_released(clone, "content")


def test_a_set_that_is_not_there_is_said(clone):
    with pytest.raises(MissingError, match="no imported set of weights called released"):
        imported_set("released")
    import_released(clone, "other")
    with pytest.raises(MissingError) as caught:
        imported_set("released")
    assert "There are: other" in caught.value.hint


def rewritten(clone, name, change):
    """Writes a checkpoint anew after `change` had its tensors."""
    network = LAYOUT.networks[name]
    state = released_clone.state_of(network.shapes, 5)
    change(state)
    torch.save({network.key: state}, checkpoint(clone, name))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop("first.bias"), "lacks first.bias"),
        (lambda state: state.update(other=torch.ones(1)), "also has other"),
        (lambda state: state.update({"first.bias": torch.ones(4)}), "has other sizes of first.bias"),
        (lambda state: state.update({"first.bias": torch.ones(3, 1)}), "has other sizes of first.bias"),
        (lambda state: state.update({"module.first.bias": torch.ones(3)}), "holds first.bias twice"),
        (lambda state: state.update({"first.bias": torch.ones(3, dtype=torch.int64)}), "other kinds of numbers"),
        (lambda state: state.update({"first.bias": torch.tensor([1.0, float("nan"), 2.0])}), "no number in first.bias"),
        (lambda state: state.update({f"a{n}": torch.ones(1) for n in range(9)}), "a0, a1, a2 and 6 more"),
        (lambda state: state.update({"a\x1b[31m\n" + "x" * 999: torch.ones(1)}), "also has a?[31m?xxx"),
    ],
)
@pytest.mark.parametrize("name", ["voice_conversion", "image_translation"])
def test_a_checkpoint_of_another_network_is_named(clone, capsys, name, change, words):
    import_released(clone)
    before = content(imported_set("released"))
    rewritten(clone, name, change)
    refused(capsys, ["weights", "import", clone], LAYOUT.networks[name].file, words)
    assert content(imported_set("released")) == before
    assert sorted(path.name for path in weights_folder().iterdir()) == [".lock", "released"]


def test_a_checkpoint_under_another_name_is_refused(clone, capsys):
    checkpoint(clone, "speaker_branch").write_bytes(checkpoint(clone, "content_branch").read_bytes())
    refused(capsys, ["weights", "import", clone], 'no network under the key "G"')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("1 2 3", "holds 3 values"),
        ("1 " * 161, "holds 161 values"),
        ("1 " * 159 + "nan", "no number"),
        ("1 " * 159 + "inf", "no number"),
        ("1 " * 159 + "1_0", "no number"),
        ("1 " * 159 + "__import__('os')", "no number"),
        ("1 " * 159 + "1e400", "cannot be meant"),
        ("1 " * 159 + "1e9", "cannot be meant"),
        ("1 " * 159 + "9" * 65, "no number"),
        ("1 " * 159 + "0", "not above zero"),
        ("1 " * 159 + "1e-60", "not above zero"),
        ("1 " * 159 + "-1", "not above zero"),
        ("\udcff" * 160, "not a text of numbers"),
        ("1 " * 40_000, "larger than"),
    ],
)
def test_a_text_is_read_strictly(clone, capsys, text, words):
    (clone / LAYOUT.texts[0].path).write_bytes(text.encode("utf-8", "surrogateescape"))
    refused(capsys, ["weights", "import", clone], "MEAN_STD_AUTOVC_RETRAIN_MEL_AU.txt", words)
    assert imported_names() == []


def test_the_command_line_imports_lists_and_verifies(clone, capsys):
    assert main(["weights", "import", str(clone), "--name", "mine"]) == 0
    told = capsys.readouterr().out
    assert "--weights mine" in told and "CC BY-NC 4.0" in told
    for action in ("list", "verify"):
        assert main(["weights", action]) == 0
        told = capsys.readouterr().out
        assert "mine/voice_conversion  " in told and "mine/statistics  " in told and "\ncontent  " in told
    victim = weights_folder() / "mine" / "content_branch.safetensors"
    data = victim.read_bytes()
    victim.write_bytes(data[:-1] + b"\x55")
    refused(capsys, ["weights", "verify"], str(victim), "damaged", "import it again")
    victim.unlink()
    refused(capsys, ["weights", "verify"], str(victim), "missing")
    (victim.parent / "SHA256SUMS").write_text("../evil\n")
    refused(capsys, ["weights", "list"], "damaged", "mport it again")


def test_a_set_is_removed(clone, home, capsys):
    for name in ("mine", "released"):
        assert main(["weights", "import", str(clone), "--name", name]) == 0
    victim = weights_folder() / "mine" / "content_branch.safetensors"
    victim.unlink()
    assert main(["doctor"]) == 0
    assert f"none imported sets  {victim} is missing" in capsys.readouterr().out
    refused(capsys, ["weights", "remove", "mine"], "takes no folder", "--name mine")
    assert main(["weights", "remove", "--name", "mine"]) == 0  # damaged as it is
    assert str(victim.parent) in capsys.readouterr().out
    assert imported_names() == ["released"] and not victim.parent.exists()
    assert sorted(path.name for path in victim.parents[1].iterdir()) == [".lock", "released"]
    assert main(["doctor"]) == 0
    assert "ok   imported sets  released\n" in capsys.readouterr().out
    for name, words in (("mine", "no imported set of weights called mine"), ("../released", "cannot be called")):
        refused(capsys, ["weights", "remove", "--name", name], words)
    assert imported_names() == ["released"]


def test_a_cancel_leaves_the_old_set(clone, tmp_path):
    import_released(clone)
    before = content(imported_set("released"))
    released_clone.write_clone(tmp_path / "other", LAYOUT, seed=9)
    steps = []
    import_released(tmp_path / "other", "counted", lambda fraction, stage: steps.append(stage))
    for stop in range(0, len(steps), 3):
        left = stop

        def cancel(_fraction, _stage):
            nonlocal left
            left -= 1
            if left < 0:
                raise Cancelled

        with pytest.raises(Cancelled):
            import_released(tmp_path / "other", progress=cancel)
        assert content(imported_set("released")) == before
        assert sorted(path.name for path in weights_folder().iterdir()) == [".lock", "counted", "released"]
    import_released(tmp_path / "other")
    assert content(imported_set("released")) == content(imported_set("counted")) != before


def test_a_folder_that_was_put_away_comes_back(clone, tmp_path):
    """A kill between the two renames of an exchange leaves the old set under another name."""
    import_released(clone)
    before = content(imported_set("released"))
    (weights_folder() / "released").rename(weights_folder() / ".old-released")
    (weights_folder() / ".new-0123456789ab").mkdir()
    assert imported_names() == []
    with pytest.raises(Cancelled):
        import_released(clone, progress=_cancel_when_converting)
    assert content(imported_set("released")) == before
    assert sorted(path.name for path in weights_folder().iterdir()) == [".lock", "released"]


def _cancel_when_converting(_fraction, stage):
    if stage.startswith("Converting"):
        raise Cancelled


def test_two_imports_at_once_are_said(clone):
    def again(_fraction, stage):
        if stage.startswith("Converting"):
            with pytest.raises(OutputError, match="Another process"):
                import_released(clone)

    import_released(clone, progress=again)
    assert imported_names() == ["released"]


def test_a_disk_without_room_is_said(clone, monkeypatch):
    usage = shutil.disk_usage(clone)
    monkeypatch.setattr(importer.shutil, "disk_usage", lambda _path: usage._replace(free=1 << 20))
    with pytest.raises(OutputError, match="MB are free"):
        import_released(clone)
    assert sorted(path.name for path in weights_folder().iterdir()) == [".lock"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions bind no administrator")
def test_a_folder_without_permission_is_said(clone, home):
    home.mkdir()
    home.chmod(0o500)
    with pytest.raises(OutputError, match="may not be written"):
        import_released(clone)
    home.chmod(0o700)


def test_a_place_that_is_a_file_is_said(clone, home):
    home.write_text("a file")
    with pytest.raises(OutputError):
        import_released(clone)


# Hostile checkpoints.

SEEDS = range(200)
SAMPLE = SEEDS[::8]


def hostile_import(seed, tmp_path, capsys):
    """Imports a clone with one hostile checkpoint by the command line: the exit status is 0 or 2, and nothing else."""
    clone, canary = tmp_path / f"clone {seed}", tmp_path / "canary"
    states = released_clone.write_clone(clone, LAYOUT, former=seed % 2 == 1)
    victim = random.Random(seed).choice(list(LAYOUT.networks))
    hostile.corrupt(checkpoint(clone, victim), seed, canary)
    begun = time.monotonic()
    with hostile.watched() as seen, contextlib.suppress(InputError), open_checkpoint(checkpoint(clone, victim)) as file:
        for tensor in file.tensors(LAYOUT.networks[victim].key).values():
            file.read(tensor)
    status = main(["weights", "import", str(clone)])
    said = capsys.readouterr().err
    assert not seen and not canary.exists(), seed
    assert status in (0, 2) and "Traceback" not in said and time.monotonic() - begun < 30.0, (seed, said)
    assert (status == 0) == (imported_names() == ["released"])
    if status == 0:
        assert sorted(path.name for path in imported_set("released").iterdir()) == FILES
        for name in states.keys() - {victim}:
            found = safetensors.numpy.load_file(imported_set("released") / f"{name}.safetensors")
            np.testing.assert_array_equal(found["first.weight"], states[name]["first.weight"])
        shutil.rmtree(weights_folder())
    else:
        assert len(said.splitlines()) == 1 and said.startswith("makeittalk: ") and len(said) < 700, (seed, said)
        assert [path.name for path in weights_folder().glob("*")] in ([], [".lock"])
    shutil.rmtree(clone)
    return status


def test_hostile_checkpoints_run_nothing_and_say_one_sentence(tmp_path, capsys):
    statuses = [hostile_import(seed, tmp_path, capsys) for seed in SAMPLE]
    assert statuses.count(2) > len(statuses) // 2


@pytest.mark.slow
def test_two_hundred_hostile_checkpoints_run_nothing_and_say_one_sentence(tmp_path, capsys):
    statuses = [hostile_import(seed, tmp_path, capsys) for seed in SEEDS]
    with capsys.disabled():
        print(f"\n{len(statuses)} hostile checkpoints: {statuses.count(2)} refused, {statuses.count(0)} read past")
    assert len(statuses) == 200 and statuses.count(2) > 120


# Kills.

CHILD = """
import sys
sys.path[:0] = sys.argv[1:3]
import released_clone
from makeittalk.weights.importer import import_released
layout = released_clone.small_layout(int(sys.argv[3]))
print("ready", flush=True)
import_released(sys.argv[4], layout=layout)
print("done", flush=True)
"""
WIDTH = 250_000  # numbers along the first tensor: 20 MB a network


def start(clone):
    paths = [str(ROOT / "backend"), str(ROOT / "tests" / "support")]
    command = [sys.executable, "-c", CHILD, *paths, str(WIDTH), str(clone)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def kill_imports(tmp_path, home, times, seed):
    """Kills imports at random moments, over an old set and without one; what is left is whole, and goes on."""
    layout, rng = released_clone.small_layout(WIDTH), random.Random(seed)
    clones = [tmp_path / "first", tmp_path / "second"]
    wholes = []
    for number, clone in enumerate(clones):
        released_clone.write_clone(clone, layout, seed=10 * number)
        begun = time.monotonic()
        import_released(clone, layout=layout)
        lasted = time.monotonic() - begun
        wholes.append(content(imported_set("released")))
    assert wholes[0] != wholes[1]
    interrupted = 0
    for turn in range(times):
        if turn % 2:
            shutil.rmtree(home)
        else:
            import_released(clones[0], layout=layout)
        process = start(clones[1])
        kill(process, rng.uniform(0.0, 1.1 * lasted))
        interrupted += process.communicate()[0] != "done\n"
        assert imported_names() in ([], ["released"])
        if imported_names():
            assert content(imported_set("released")) in wholes
            verify_imported("released")
        process = start(clones[1])
        assert process.communicate()[0] == "done\n" and process.returncode == 0
        assert content(imported_set("released")) == wholes[1]
        assert sorted(path.name for path in weights_folder().iterdir()) == [".lock", "released"]
    return interrupted


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_import_leaves_all_or_nothing(tmp_path, home):
    kill_imports(tmp_path, home, 2, seed=3)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_twenty_killed_imports_leave_all_or_nothing(tmp_path, home, capsys):
    interrupted = kill_imports(tmp_path, home, 20, seed=4)
    with capsys.disabled():
        print(f"\n20 kills, {interrupted} of them in the middle of an import")
    assert interrupted > 8


# The real sizes.


@pytest.mark.parametrize("optimizer", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_checkpoints_of_the_real_sizes_take_little_memory(tmp_path, home, optimizer):
    """350 MB of networks, and 560 MB of an optimizer's state, in a process of its own."""
    if shutil.disk_usage(tmp_path).free < 3e9:
        pytest.skip("needs 3 GB on the disk")
    layout = released_layout()
    clone = tmp_path / "clone"
    states = released_clone.write_clone(clone, layout, optimizer=optimizer)
    done = python(
        "-c",
        "import sys\nfrom makeittalk.cli.main import main\nfrom memory import peak_memory\n"
        f"status = main(['weights', 'import', {str(clone)!r}])\nprint(peak_memory(), 'torch' in sys.modules)\n"
        "sys.exit(status)",
        path=os.pathsep.join([str(ROOT / "backend"), str(ROOT / "tests" / "support")]),
    )
    assert done.returncode == 0, done.stderr
    peak, with_torch = done.stdout.splitlines()[-1].split()
    assert int(peak) < 250e6 and with_torch == "False"
    for name, state in states.items():
        path = imported_set("released") / f"{name}.safetensors"
        with safetensors.safe_open(path, "numpy") as file:
            assert set(file.keys()) == set(layout.networks[name].shapes)
            for key in list(state)[::7]:
                np.testing.assert_array_equal(file.get_tensor(key), state[key].numpy())
    for folder in (clone, home):
        shutil.rmtree(folder)


def test_the_layout_is_that_of_the_released_networks():
    path = REFERENCE / "released_networks.json"
    if not path.is_file():
        pytest.skip("MAKEITTALK_REFERENCE names no folder with the released networks")
    wanted = json.loads(path.read_text())
    found = {name: dict(network.shapes) for name, network in released_layout().networks.items()}
    assert {name: {key: list(shape) for key, shape in shapes.items()} for name, shapes in found.items()} == wanted
