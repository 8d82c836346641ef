"""The messages of the two sides: round trips, older and newer partners, and lines that are no messages."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest
from makeittalk.exchange import protocol
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.protocol import ProtocolError, Reply

REQUESTS = sorted(protocol.REQUESTS.items())
RESULTS = [
    protocol.HelloData,
    protocol.DetectData,
    protocol.AnimateData,
    protocol.PreviewPart,
    protocol.RebakeData,
    protocol.FacesData,
    protocol.PlacedData,
    protocol.RefaceData,
    protocol.VisemesData,
    protocol.PhotorealData,
]
OTHER = {
    int: 41,
    float: 0.25,
    str: "Größe 'quoted' \"写真\"\n",
    bool: False,
    list: ["a", "b"],
    dict: {"n": 1},
    Amounts: Amounts(0.5, 0.25, 2.0, 0.0),
}


def changed(kind: type) -> protocol.Fields:
    """A message none of whose fields has its default."""
    default = kind()
    return kind(
        **{
            item.name: [changed(item.metadata["of"])]
            if "of" in item.metadata
            else OTHER[type(getattr(default, item.name))]
            for item in dataclasses.fields(kind)
        }
    )


@pytest.mark.parametrize(("method", "kind"), REQUESTS)
def test_every_request_comes_back(method: str, kind: type) -> None:
    request = changed(kind)
    line = protocol.encode_request(7, request)
    assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
    assert json.loads(line)["method"] == method
    assert protocol.decode_request(line) == (7, request)


def test_every_reply_comes_back() -> None:
    reply = changed(Reply)
    line = protocol.encode_reply(reply)
    assert line.count(b"\n") == 1 and protocol.decode_reply(line) == reply


@pytest.mark.parametrize("kind", RESULTS)
def test_every_result_travels_in_a_reply(kind: type) -> None:
    data = changed(kind)
    reply = protocol.decode_reply(protocol.encode_reply(Reply(1, "result", data=dataclasses.asdict(data))))
    assert kind.from_dict(reply.data) == data


@pytest.mark.parametrize(("method", "kind"), REQUESTS)
def test_an_older_partner_leaves_fields_out(method: str, kind: type) -> None:
    for item in dataclasses.fields(kind):
        value = json.loads(protocol.encode_request(1, changed(kind)))
        del value["params"][item.name]
        _, request = protocol.decode_request(json.dumps(value).encode())
        assert getattr(request, item.name) == getattr(kind(), item.name)
    assert protocol.decode_request(json.dumps({"id": 1, "method": method}).encode()) == (1, kind())


def test_a_preview_is_asked_for_as_a_character_is() -> None:
    names = [item.name for item in dataclasses.fields(protocol.Animate)]
    assert [item.name for item in dataclasses.fields(protocol.Preview)] == names
    _, request = protocol.decode_request(protocol.encode_request(3, changed(protocol.Preview)))
    assert type(request) is protocol.Preview and request != changed(protocol.Animate)


@pytest.mark.parametrize(("method", "kind"), REQUESTS)
def test_a_newer_partner_adds_fields(method: str, kind: type) -> None:
    params = {"from_the_future": [1, {"x": None}], "__class__": "x"}
    assert protocol.decode_request(json.dumps({"id": 1, "method": method, "params": params}).encode()) == (1, kind())


def test_a_whole_number_serves_as_a_float() -> None:
    _, request = protocol.decode_request(
        b'{"id": 1, "method": "animate", "params": {"fps": 30, "amounts": {"lip": 2}}}'
    )
    assert isinstance(request, protocol.Animate)
    assert (request.fps, request.amounts) == (30.0, Amounts(lip=2.0)) and type(request.fps) is float


@pytest.mark.parametrize(
    "params",
    [
        {"seed": "1"},
        {"seed": 1.5},
        {"seed": True},
        {"own_mouth": 1},
        {"portrait": None},
        {"audio": ["x"]},
        {"fps": "24"},
    ],
)
def test_a_field_of_another_type_is_refused(params: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_request(json.dumps({"id": 1, "method": "animate", "params": params}).encode())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"null",
        b"[]",
        b"12",
        b'"hello"',
        b"{",
        b"\xff\xfe{}",
        b"Loaded the voice encoder model on cpu in 0.02 seconds.",
        b"[" * 100_000,
        b'{"id": ' * 50_000,
        b'{"method": "hello"}',
        b'{"id": "1", "method": "hello"}',
        b'{"id": true, "method": "hello"}',
        b'{"id": 1.0, "method": "hello"}',
        b'{"id": 1, "method": 3}',
        b'{"id": 1, "method": "format_disk"}',
        b'{"id": 1, "method": "__init__"}',
        b'{"id": 1, "method": "hello", "params": []}',
        b'{"id": 1, "method": "hello", "params": "' + b"x" * protocol.MAX_LINE + b'"}',
    ],
    ids=lambda line: line[:24].decode("latin1"),
)
def test_a_line_that_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError) as error:
        protocol.decode_request(line)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("line", [b"", b"[]", b"{", b'{"id": "1"}', b'{"data": []}', b'{"fraction": "half"}', b"\x00"])
def test_a_line_that_is_no_reply_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_reply(line)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "9" * 5000])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_request(
            f'{{"id": 1, "method": "animate", "params": {{"amounts": {{"lip": {number}}}}}}}'.encode()
        )
    with pytest.raises(ProtocolError):
        protocol.decode_reply(f'{{"id": 1, "kind": "progress", "fraction": {number}}}'.encode())


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-" + "9" * 5000, "1e400", "NaN"])
def test_no_number_and_no_nesting_is_more_than_an_error(number: str) -> None:
    for line in (
        f'{{"id": {number}}}',
        f'{{"id": 1, "kind": "result", "data": {{"seconds": {number}}}}}',
        f'{{"id": 1, "kind": "result", "data": {{"x": [[{{"y": {number}}}]]}}}}',
        f'{{"id": 1, "kind": "result", "data": {"[" * 70}{"]" * 70}}}',
        f'{{"id": 1, "kind": "result", "data": {"[" * 5000}{"]" * 5000}}}',
    ):
        with pytest.raises(ProtocolError):
            protocol.decode_reply(line.encode())
    for name in ("fps", "seed"):
        with pytest.raises(ProtocolError) as error:
            protocol.decode_request(f'{{"id": 5, "method": "animate", "params": {{"{name}": {number}}}}}'.encode())
        assert error.value.number == 5
    for seconds in (10**400, -3e9):
        with pytest.raises(ProtocolError):
            protocol.AnimateData.from_dict({"seconds": seconds})
    with pytest.raises(ProtocolError):
        protocol.Animate.from_dict({"amounts": {"lip": 10**400}})


@pytest.mark.parametrize("value", [{"devices": [1]}, {"devices": [["cpu"]]}, {"python": "3\0"}, {"version": 2**31}])
def test_what_blender_would_choke_on_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        protocol.HelloData.from_dict(value)


def test_the_bytes_of_any_path_arrive() -> None:
    odd = "sp\udce9ech \U0001f600.wav"  # as Python spells a name that is no UTF-8
    line = protocol.encode_request(1, protocol.Animate(audio=odd))
    assert protocol.decode_request(line) == (1, protocol.Animate(audio=odd))


def test_the_rest_of_a_long_line_is_no_message() -> None:
    whole = b'{"id": 1, "kind": "done"}\n'
    long = b"x" * protocol.MAX_LINE
    for middle in (long, long[1:] + whole.strip(), 5 * long + b'\r{"id": 2}', long * 2 + b"x"):
        lines = list(protocol.read_lines(io.BytesIO(whole + middle + b"\n" + whole)))
        assert (lines[0], lines[2:]) == (whole, [whole]) and len(lines[1]) == protocol.MAX_LINE + 1
        with pytest.raises(ProtocolError, match="too long"):
            protocol.decode_reply(lines[1])
    assert list(protocol.read_lines(io.BytesIO(long))) == [long]  # the end of the stream ends a line too
    assert len(list(protocol.read_lines(io.BytesIO(3 * long)))) == 1
    longest = long[1:] + b"\n"
    assert list(protocol.read_lines(io.BytesIO(longest + whole))) == [longest, whole]


def test_no_message_that_is_not_json_is_ever_sent() -> None:
    with pytest.raises(ValueError):
        protocol.encode_reply(Reply(1, "progress", float("nan")))


def test_every_field_has_a_default() -> None:
    kinds = [value for value in vars(protocol).values() if isinstance(value, type) and dataclasses.is_dataclass(value)]
    assert len(kinds) > 10
    for kind in kinds:
        kind()
        for item in dataclasses.fields(kind):
            assert item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING
