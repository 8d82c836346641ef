"""Lists of shots: strict columns, bad lines told one by one, hostile files within bounds."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import samples
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import shots as shot_list
from makeittalk.exchange.formats.shots import read_shots
from makeittalk.exchange.shot_options import OPTIONS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A face.json with its portrait, and a recording."""
    samples.write_job(tmp_path / "job")
    return tmp_path


def write(folder: Path, text: str | bytes, name: str = "shots.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


HEAD = "portrait,audio,output"
GOOD = "job/portrait.png,job/speech.wav,out.mp4"


def only_problem(folder: Path, text: str) -> str:
    """The sentence of the one line that cannot be used; the good one before it is unharmed."""
    columns, _, line = text.rpartition("\n")
    fields = columns.count(",") - HEAD.count(",")
    found = read_shots(write(folder, f"{columns}\n{GOOD}{',' * fields}\n{line}\n"))
    assert [shot.line for shot in found.shots] == [2]
    (problem,) = found.problems
    assert problem.line == 3
    return problem.sentence


def test_every_column_is_read_and_paths_are_the_lists(folder: Path) -> None:
    path = write(
        folder,
        "\ufeffPortrait,audio,outputs,lip,fps,seed,own-mouth,voice,weights,style,face\r\n"
        '"job/portrait.png","job/speech.wav","a.mp4; sub/b.npz;",1.5,29.97,7,no,job/speech.wav,content,photo,2\r\n'
        "\r\n"
        "job/portrait.png,job/speech.wav,c.csv,,,,,,,,\r\n",
    )
    first, second = read_shots(path).shots
    assert (first.line, second.line) == (2, 4)
    assert first.portrait == folder / "job" / "portrait.png" and first.audio == folder / "job" / "speech.wav"
    assert first.outputs == (folder / "a.mp4", folder / "sub" / "b.npz")
    assert first.options == {
        **{"lip": 1.5, "fps": "30000/1001", "seed": 7, "own_mouth": False, "style": "photo", "face": 2},
        **{"voice": folder / "job" / "speech.wav", "weights": "content"},
    }
    assert second.options == {}
    assert first.inputs().keys() == {"portrait", "audio", "voice"}


def test_weights_are_a_set_by_its_name_or_a_path_from_the_list(folder: Path) -> None:
    rows = [
        f"job/portrait.png,job/speech.wav,{name}.mp4,{name}" for name in ("released", "sets/mine", "own.safetensors")
    ]
    (folder / "own.safetensors").write_bytes(b"weights")
    shots = read_shots(write(folder, "\n".join([f"{HEAD},weights", *rows]) + "\n")).shots
    found = [shot.options["weights"] for shot in shots]
    assert found == ["released", str(folder / "sets/mine"), str(folder / "own.safetensors")]


def test_a_face_file_is_a_portrait_with_its_landmarks(folder: Path) -> None:
    (shot,) = read_shots(write(folder, f"{HEAD}\njob/face.json,job/speech.wav,out.mp4\n")).shots
    assert shot.portrait == (folder / "job" / "portrait.png").resolve()
    assert shot.options == {"landmarks": folder / "job" / "face.json"}
    face = json.loads((folder / "job" / "face.json").read_text())
    face["image"]["path"] = "../../elsewhere.png"
    (folder / "job" / "out.json").write_text(json.dumps(face))
    assert "outside" in only_problem(folder, f"{HEAD}\njob/out.json,job/speech.wav,x.mp4")
    both = only_problem(folder, f"{HEAD},landmarks\njob/face.json,job/speech.wav,x.mp4,job/face.json")
    assert "landmarks" in both


def test_outputs_can_be_left_out_where_nobody_wants_them(folder: Path) -> None:
    (shot,) = read_shots(write(folder, "audio,portrait\njob/speech.wav,job/portrait.png\n"), with_outputs=False).shots
    assert shot.outputs == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}\njob/portrait.png,job/gone.wav,x.mp4", "gone.wav does not exist"),
        (f"{HEAD}\njob,job/speech.wav,x.mp4", "is not a file"),
        (f"{HEAD}\n,job/speech.wav,x.mp4", "names no portrait"),
        (f"{HEAD}\njob/portrait.png,job/speech.wav, ; ", "names no output"),
        (f"{HEAD}\njob/portrait.png,job/speech.wav", "2 fields where the first line has 3"),
        (f"{HEAD}\njob/portrait.png,job/speech.wav,x.mp4,y.mp4", "4 fields where the first line has 3"),
        (f"{HEAD},lip\njob/portrait.png,job/speech.wav,x.mp4,nan", "an amount is between 0 and 4"),
        (f"{HEAD},seed\njob/portrait.png,job/speech.wav,x.mp4,1.5", "a seed is a whole number"),
        (f"{HEAD},seed\njob/portrait.png,job/speech.wav,x.mp4,{'9' * 3000}", "a seed is a whole number"),
        (f"{HEAD},fps\njob/portrait.png,job/speech.wav,x.mp4,1e9", "out of range"),
        (f"{HEAD},style\njob/portrait.png,job/speech.wav,x.mp4,noir", "one of auto, cartoon, photo"),
        (f"{HEAD},own_mouth\njob/portrait.png,job/speech.wav,x.mp4,maybe", "yes or no"),
        (f"{HEAD},voice\njob/portrait.png,job/speech.wav,x.mp4,gone.wav", "gone.wav does not exist"),
        (f"{HEAD}\njob/portrait.png,job/sp\x01eech.wav,x.mp4", "control characters"),
        (f"{HEAD}\n{'a' * 5000},job/speech.wav,x.mp4", "too long"),
        (f"{HEAD}\n{'a' * 300},job/speech.wav,x.mp4", "cannot be read"),
        (f"{HEAD}\njob/portrait.png,job/speech.wav,{';'.join(f'{n}.mp4' for n in range(40))}", "more than 16"),
        (f'{HEAD}\n"job/portrait.png,job/speech.wav,x.mp4', "quotation mark"),
    ],
)
def test_a_bad_line_is_told_and_takes_no_other_along(folder: Path, text: str, words: str) -> None:
    sentence = only_problem(folder, text)
    assert words in sentence and "\n" not in sentence and len(sentence) < 1000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD},fsp,lipp\n{GOOD},1,1\n", ("fsp, lipp", "not known", "fps")),
        (f"{HEAD},blender\n{GOOD},/bin/sh\n", ("blender", "on the command line")),
        (f"{HEAD},lip,LIP\n{GOOD},1,1\n", ("lip twice",)),
        (f"{HEAD},output,outputs\n{GOOD},1,1\n", ("output twice",)),
        ("portrait,output\nx,y\n", ("no column audio",)),
        ("portrait;audio;output\nx;y;z\n", ("semicolons",)),
        ("", ("is empty",)),
        ("\n\n", ("is empty",)),
        (b"portrait,audio,output\n\xff\xfe\n", ("UTF-8",)),
        ("portrait,audio,output\n".encode("utf-16"), ("UTF-8",)),
    ],
)
def test_columns_that_are_wrong_are_one_sentence(folder: Path, text: str | bytes, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as raised:
        read_shots(write(folder, text))
    for word in words:
        assert word in str(raised.value)


def test_lists_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(folder, HEAD + f"\n{GOOD}" * 20)
    monkeypatch.setattr(shot_list, "MAX_SHOTS", 19)
    with pytest.raises(InputError, match="more than 19"):
        read_shots(path)
    with pytest.raises(InputError, match="more than 19"):  # of lines that cannot be read, too
        read_shots(write(folder, HEAD + '\n"a"b' * 20))
    monkeypatch.setattr(shot_list, "MAX_BYTES", 1 << 20)
    with pytest.raises(InputError, match="larger than 1 MiB"):
        read_shots(write(folder, "x" * (2 << 20)))


def test_two_hundred_mangled_lists_are_sentences(folder: Path) -> None:
    """Nothing but shots, problems and one kind of error comes of whatever a list holds."""
    random_ = random.Random(5)
    names = [option.name for option in OPTIONS.values() if option.column]
    whole = f"{HEAD},{','.join(names)}\n" + "".join(f"{GOOD}{',1' * len(names)}\n" for _ in range(4))
    refused = 0
    for number in range(200):
        data = bytearray(whole.encode())
        for _ in range(random_.randint(1, 6)):
            place = random_.randrange(len(data))
            spoilt = random_.choice([b'"', b"\0", b"\n", b",", b"\xff", b"../", b"9" * 400, b";", b"\r", b""])
            data[place : place + random_.randint(0, 3)] = spoilt
        try:
            found = read_shots(write(folder, bytes(data), f"{number}.csv"))
        except InputError:
            refused += 1
        else:
            assert len(found.shots) + len(found.problems) >= 1
    assert 0 < refused < 200
