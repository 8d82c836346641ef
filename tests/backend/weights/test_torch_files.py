"""Checkpoints give their tensors, as torch itself reads them, and nothing else: no code of theirs is run."""

from __future__ import annotations

import argparse
import pathlib
import pickle
import struct
import time
import zipfile
from collections import OrderedDict, defaultdict

import hostile_checkpoints as hostile
import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.weights import pickle_walk, torch_files
from makeittalk.weights.torch_files import open_checkpoint

FORMATS = {"archive": True, "former": False}


@pytest.fixture(params=FORMATS)
def checkpoint(request, tmp_path):
    """A good checkpoint with a network `G`."""
    torch.manual_seed(0)
    path = tmp_path / "good.pth"
    state = {"w": torch.randn(3, 4), "n": torch.tensor(5)}
    torch.save({"G": state}, path, _use_new_zipfile_serialization=FORMATS[request.param])
    return path


def refusal(path, key="G"):
    """The sentence with which a file is refused."""
    with pytest.raises(InputError) as caught, open_checkpoint(path) as checkpoint:
        for tensor in checkpoint.tensors(key).values():
            checkpoint.read(tensor)
    sentence = str(caught.value)
    assert str(path) in sentence and "\n" not in sentence and len(sentence) < 600 and caught.value.hint
    return sentence


def tensors(path, key="G"):
    with open_checkpoint(path) as checkpoint:
        return {name: checkpoint.read(tensor) for name, tensor in checkpoint.tensors(key).items()}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("form", FORMATS)
def test_a_network_beside_whatever_training_left_reads_as_torch_reads_it(tmp_path, form, protocol):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv1d(3, 4, 5), torch.nn.BatchNorm1d(4), torch.nn.LSTM(4, 2))
    parameters = list(network[:2].parameters())
    optimizer = torch.optim.Adam(parameters)
    network[:2](torch.randn(2, 3, 9)).sum().backward()
    optimizer.step()
    beside = {
        "optimizer": optimizer,
        "state": optimizer.state_dict(),
        "counts": defaultdict(dict, {1: {(2, 3): 4}}),
        "loss": np.float64(0.5),
        "curve": np.arange(4.0),
        "device": torch.device("cpu"),
        "type": torch.float32,
        "options": argparse.Namespace(lr=1e-4, out=pathlib.Path("x")),
        "names": {"a", "b"},
        "frozen": frozenset({1}),
        "bytes": b"\x00\x01",
        "odd": hostile.Canary(),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "size": torch.Size([1, 2]),
        "random": [torch.get_rng_state(), np.random.default_rng(0), np.random.RandomState(0)],
        "mask": torch.tensor([True, False]),
    }
    path = tmp_path / "x.pth"
    torch.save(
        {"G": network.state_dict(), **beside},
        path,
        _use_new_zipfile_serialization=FORMATS[form],
        pickle_protocol=protocol,
    )
    with hostile.watched() as seen:
        found = tensors(path)
    assert not seen
    wanted = network.state_dict()
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name].shape == tuple(value.shape)
        assert found[name].dtype == (np.int64 if value.dtype == torch.int64 else np.float32)
        np.testing.assert_array_equal(found[name], value.numpy())


@pytest.mark.parametrize("form", FORMATS)
def test_every_kind_of_number_and_every_view_of_a_storage(tmp_path, form):
    torch.manual_seed(0)
    base = torch.randn(6, 8)
    state = {
        **{str(kind): base.to(kind) for kind in (torch.float16, torch.float32, torch.float64, torch.bfloat16)},
        "int64": torch.arange(-3, 3),
        "uint8": torch.arange(200, 206, dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
        "transposed": base.t(),
        "rows": base[::2],
        "inner": base[1:4, 2:7],
        "scalar": torch.tensor(2.5),
        "count": torch.tensor(4),
        "none": torch.zeros(0, 3),
        "shared": base,
    }
    path = tmp_path / "x.pth"
    torch.save({"G": state}, path, _use_new_zipfile_serialization=FORMATS[form])
    found = tensors(path)
    for name, value in state.items():
        np.testing.assert_array_equal(found[name], value.float().numpy() if value.is_floating_point() else value)
        assert found[name].shape == tuple(value.shape) and found[name].flags.c_contiguous


def test_what_python_2_wrote_reads(tmp_path):
    """Texts as bytes, and an ordered dictionary as a list of pairs."""
    pairs = (
        b"ccollections\nOrderedDict\n]]U\x01wa"
        + b"ctorch._utils\n_rebuild_tensor\n((U\x07storagectorch\nFloatStorage\n"
    )
    pairs += b"U\x010U\x03cpuK\x04tQK\x00(K\x04t(K\x01ttRaa\x85R"
    numbers = np.arange(4, dtype="<f4")
    path = tmp_path / "x.pth"
    hostile.write_archive(path, {"x/data.pkl": b"\x80\x02}U\x01G" + pairs + b"s.", "x/data/0": numbers.tobytes()})
    np.testing.assert_array_equal(tensors(path)["w"], numbers)


@pytest.mark.parametrize("attack", hostile.LIVE)
def test_the_attacks_are_real(tmp_path, attack):
    canary = tmp_path / "canary"
    steps = hostile.LIVE[attack](canary)
    try:
        pickle.loads(b"\x80" + (b"\x04" if b"\x93" in steps else b"\x02") + steps + b".")
    except TypeError as error:  # a result that is no object's, after the deed
        print(error)
    assert canary.exists()


@pytest.mark.parametrize("attack", [name for name in {**hostile.LIVE, **hostile.NAMED} if name != "setstate"])
def test_an_attack_is_refused_and_never_run(checkpoint, tmp_path, attack):
    canary = tmp_path / "canary"
    hostile.inject(checkpoint, {**hostile.LIVE, **hostile.NAMED}[attack](canary))
    with hostile.watched() as seen:
        sentence = refusal(checkpoint)
    assert not seen and not canary.exists()
    if attack in hostile.LIVE and attack != "nested in torch's own":
        assert "no checkpoint needs; nothing of it was run" in sentence, sentence


@pytest.mark.parametrize("attack", ["setstate", *hostile.BORNE])
def test_what_nothing_looks_into_does_no_harm(checkpoint, tmp_path, attack):
    canary = tmp_path / "canary"
    wanted = tensors(checkpoint)
    hostile.inject(checkpoint, {**hostile.LIVE, **hostile.BORNE}[attack](canary))
    begun = time.monotonic()
    with hostile.watched() as seen:
        found = tensors(checkpoint)
    assert not seen and not canary.exists() and time.monotonic() - begun < 20.0
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value)


def test_an_object_in_the_place_of_a_tensor_is_refused(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"G": {"w": hostile.Canary()}}, path)
    assert "something else than tensors" in refusal(path)
    torch.save({"G": [torch.ones(1)]}, path)
    assert 'no network under the key "G"' in refusal(path)
    torch.save({"other": {}}, path)
    assert 'no network under the key "G"' in refusal(path)
    torch.save([1], path)
    assert "dictionary" in refusal(path)


@pytest.mark.parametrize("view", hostile.VIEWS)
def test_a_tensor_never_reaches_beyond_its_numbers(tmp_path, view):
    path = tmp_path / "x.pth"
    hostile.archive_of_view(hostile.VIEWS[view], path)
    refusal(path)


def test_a_tensor_may_reach_to_the_last_of_its_numbers(tmp_path):
    path = tmp_path / "x.pth"
    hostile.archive_of_view((hostile._HELD, 3, (3, 7), (7, 1)), path)
    assert tensors(path)["w"].shape == (3, 7)


@pytest.fixture
def entries(tmp_path):
    """The entries of a good archive."""
    torch.save({"G": {"w": torch.ones(3)}}, tmp_path / "good.pth")
    return hostile.read_archive(tmp_path / "good.pth")


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "good/../../evil", "good/data/../../evil", "good\\evil", "other/data/0", "good/x"]
)
def test_an_entry_that_leads_elsewhere_is_refused(entries, tmp_path, name):
    path = tmp_path / "x.pth"
    hostile.write_archive(path, {**entries, name: b"x"})
    assert "an entry that no checkpoint has" in refusal(path)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["good.pth", "x.pth"]


def test_archives_that_torch_does_not_write_are_refused(entries, tmp_path):
    path = tmp_path / "x.pth"
    bomb = {**entries, "good/data/9": bytes(1 << 26)}
    hostile.write_archive(path, bomb, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    assert "compressed archive" in refusal(path)

    hostile.write_archive(path, {**entries, "good/code/x.py": b"x"})
    assert "TorchScript" in refusal(path)
    hostile.write_archive(path, {"x/y": b"x"})
    refusal(path)
    hostile.write_archive(path, {f"good/data/{number}": b"" for number in range(25_000)})
    assert "more entries" in refusal(path)
    hostile.write_archive(path, {**entries, "good/byteorder": b"big"})
    assert "order of bytes" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        for name, content in [*entries.items(), *entries.items()]:
            archive.writestr(name, content)
    assert "two entries of one name" in refusal(path)


def test_archives_that_lie_about_their_entries_are_refused(entries, tmp_path):
    path = tmp_path / "x.pth"
    hostile.write_archive(path, entries)
    good = path.read_bytes()
    central = good.index(b"PK\x01\x02")

    def changed(place, value, form="<H"):
        path.write_bytes(good[:place] + struct.pack(form, value) + good[place + struct.calcsize(form) :])
        return refusal(path)

    assert "encrypted" in changed(central + 8, 1)
    assert "damaged" in changed(6, 1)  # in the entry's own head alone
    changed(central + 10, 8)  # compressed
    changed(central + 20, 1 << 30, "<I")
    changed(central + 42, 1 << 30, "<I")
    second = good.index(b"PK\x01\x02", central + 4)
    refused = changed(second + 42, 0, "<I")  # the second entry lies where the first does
    assert "two names" in refused
    assert "damaged" in changed(good.index(b"PK\x05\x06") + 12, 0xFFFFFFF0, "<I")
    for length in (0, 3, 40, central, central + 40, len(good) - 5):
        path.write_bytes(good[:length])
        refusal(path)


def test_entries_that_share_their_bytes_are_refused(entries, tmp_path):
    """A big pickle stands for two storages at once, as in an overlapping zip bomb."""
    path = tmp_path / "x.pth"
    hostile.write_archive(path, {**entries, "good/data/1": bytes(300)})
    data = bytearray(path.read_bytes())
    inner = data.index(b"good/data/1")  # its own head begins 30 bytes before
    local = bytes(data[inner - 30 : inner + 11])
    place = inner + 11 + 100  # the same head again, inside the content of the first
    data[place : place + len(local)] = local
    entry = data.rindex(b"PK\x01\x02")
    central = bytes(data[entry : data.index(b"PK\x05\x06")])
    second = bytearray(central.replace(b"good/data/1", b"good/data/2"))
    second[42:46] = struct.pack("<I", place)
    second[20:28] = struct.pack("<II", 60, 60)
    data[place + 30 : place + 41] = b"good/data/2"
    end = data.index(b"PK\x05\x06")
    tail = bytearray(data[end:])
    count = struct.unpack("<H", tail[8:10])[0] + 1
    tail[8:12] = struct.pack("<HH", count, count)
    tail[12:16] = struct.pack("<I", struct.unpack("<I", tail[12:16])[0] + len(second))
    path.write_bytes(bytes(data[:end] + second + tail))
    assert "overlap" in refusal(path)


def test_a_turned_over_number_is_noticed_where_there_is_a_checksum(entries, tmp_path):
    path = tmp_path / "x.pth"
    hostile.write_archive(path, entries)
    data = bytearray(path.read_bytes())
    data[data.index(np.ones(3, "<f4").tobytes()) + 2] ^= 1
    path.write_bytes(bytes(data))
    assert "checksum" in refusal(path)


def test_files_of_the_former_format_that_lie_are_refused(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"G": {"w": torch.ones(3)}}, path, _use_new_zipfile_serialization=False)
    good = path.read_bytes()
    for length in (1, 30, len(good) // 2, len(good) - 13, len(good) - 1):
        path.write_bytes(good[:length])
        refusal(path)
    place = len(good) - 20  # the count before the three numbers
    assert struct.unpack("<q", good[place : place + 8])[0] == 3
    for count in (-1, 2, 4, 2**62):
        path.write_bytes(good[:place] + struct.pack("<q", count) + good[place + 8 :])
        assert "does not hold all of the numbers" in refusal(path)
    path.write_bytes(good.replace(b"little_endian", b"little_endiaN"))
    assert "order of bytes" in refusal(path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"<!DOCTYPE html><html>quota exceeded</html>", "web page"),
        (b"\x93NUMPY\x01\x00", "not a checkpoint"),
        (b"\x80\x02N.", "not a checkpoint"),
        (b"\x80\x02.", "damaged"),
        (bytes(257) + b"ustar" + bytes(300), "before 0.4"),
    ],
)
def test_what_is_no_checkpoint_is_said(tmp_path, content, word):
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    assert word in refusal(path)
    assert "does not exist" in refusal(tmp_path / "missing.pth")
    assert "not a file" in refusal(tmp_path)


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "x.pth"
    with open(path, "wb") as stream:
        stream.write(b"PK\x03\x04")
        stream.truncate(torch_files.MAX_BYTES + 1)  # a hole, which takes no room
    assert "larger than" in refusal(path)
    torch.save({"G": {str(number): torch.ones(1) for number in range(30)}}, path)
    for name, value, word in (
        ("MAX_STORAGES", 5, "more tensors"),
        ("MAX_OPCODES", 50, "more steps"),
        ("MAX_MEMO", 5, "remembers more"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(pickle_walk, name, value)
            assert word in refusal(path)
    for name, word in (("MAX_TENSORS", "more tensors"), ("MAX_PICKLE", "describes more")):
        with monkeypatch.context() as patched:
            patched.setattr(torch_files, name, 5)
            assert word in refusal(path)
    assert len(tensors(path)) == 30


def test_numbers_beyond_float32_are_refused(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"G": {"w": torch.tensor([1e300], dtype=torch.float64)}}, path)
    assert "too large" in refusal(path)


def test_a_former_ordered_dictionary_given_again_and_again_is_no_work(tmp_path):
    """A long list of pairs of which a dictionary is made a hundred thousand times would take minutes and gigabytes."""
    pairs = b"](" + b"](U\x01ae" * 20_000 + b"e\x85q\x010"
    again = b"ccollections\nOrderedDict\nh\x01R0" * 50_000
    path = tmp_path / "x.pth"
    hostile.write_archive(path, {"x/data.pkl": b"\x80\x02" + pairs + again + b"}.", "x/data/0": b""})
    begun = time.monotonic()
    assert "more steps" in refusal(path)
    assert time.monotonic() - begun < 20.0


def test_nothing_of_the_reader_is_torch_s():
    assert not {"torch", "pickle"} & {*vars(torch_files), *vars(pickle_walk)}
    assert OrderedDict not in vars(pickle_walk).values()
