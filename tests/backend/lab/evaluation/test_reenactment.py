"""Films made again from one of their frames."""

import json

import numpy as np
import pytest
from makeittalk.cli import main as cli
from makeittalk.exchange.errors import InputError
from makeittalk_lab.evaluation.reenactment import evaluate_films, held_out_films, reenact


def test_reenactment_scores_every_way_and_draws_them(filmed, films, tmp_path):
    pictures, landmarks = filmed
    result = reenact("one", pictures, landmarks, {})
    assert list(result.made) == ["portrait", "warp"] and len(result.truth) == 3
    scores = result.scores()
    # These frames are the mesh's own, so that the warp must win by far over a portrait that does not move.
    assert scores["warp"]["mouth PSNR"] > scores["portrait"]["mouth PSNR"] + 3
    assert scores["warp"]["mouth SSIM"] > scores["portrait"]["mouth SSIM"]
    track = lambda _path, _progress: (landmarks, 25.0, (288, 288))  # noqa: E731
    found = evaluate_films(films, {}, sheet=tmp_path / "sheet.png", track=track)
    assert found["films"] == 1 and set(found["rows"]) == {"portrait", "warp"}
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    assert [film.stem for film in held_out_films(films)] == ["three"]


def test_people_are_told_apart_by_the_names_of_their_films(films, filmed, tmp_path):
    _, landmarks = filmed
    for name in ("s4_one", "s4_two", "s26_one", "other"):
        (tmp_path / f"{name}.mp4").write_bytes((films / "one.mp4").read_bytes())
    assert [film.stem for film in held_out_films(tmp_path, 1, "s4")] == ["s4_one"]
    with pytest.raises(InputError, match="no films of s3"):
        held_out_films(tmp_path, 0, "s3")
    # The films are the same, so that only their landmarks make a difference: s26's lips are seen wider.
    wider = landmarks.copy()
    wider[:, 65:68, 1] += np.linspace(0, 3, len(wider))[:, None]
    track = lambda path, _progress: (wider if "s26" in path.stem else landmarks, 25.0, (288, 288))  # noqa: E731
    found = evaluate_films(tmp_path, {}, track=track, people=["s4", "s26"], portrait="shut", mouth=True)
    assert found["films"] == 3 and set(found["people"]) == {"s4", "s26"}
    assert set(found["clips"]) == {"s4_one", "s4_two", "s26_one"}
    one, other = (found["people"][who]["warp"]["inside MAE"] for who in ("s4", "s26"))
    # s4 has two films and counts as much as s26 with one.
    assert found["rows"]["warp"]["inside MAE"] == pytest.approx((one + other) / 2) and one != other
    assert json.loads(json.dumps(found)) == found


def test_the_command_line_names_what_is_wrong(tmp_path, capsys):
    assert cli.main(["evaluate", "--films", str(tmp_path), "--image", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err
    assert cli.main(["evaluate", "--set", str(tmp_path), "--count", "3"]) == 2
    assert "--count needs --films" in capsys.readouterr().err
    assert cli.main(["evaluate", "--set", str(tmp_path), "--mouth"]) == 2
    assert "--mouth needs --films" in capsys.readouterr().err
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "s1_one.mp4").write_bytes(b"x")
    assert cli.main(["evaluate", "--films", str(tmp_path / "films"), "--people", "s9"]) == 2
    assert "no films of s9" in capsys.readouterr().err
    assert cli.main(["prepare", "frames", str(tmp_path), str(tmp_path / "out")]) == 2
    assert "holds no films" in capsys.readouterr().err
