"""Films made again from one of their frames."""

from makeittalk.cli import main as cli
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


def test_the_command_line_names_what_is_wrong(tmp_path, capsys):
    assert cli.main(["evaluate", "--films", str(tmp_path), "--image", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err
    assert cli.main(["evaluate", "--set", str(tmp_path), "--count", "3"]) == 2
    assert "--films" in capsys.readouterr().err
    assert cli.main(["prepare", "frames", str(tmp_path), str(tmp_path / "out")]) == 2
    assert "holds no films" in capsys.readouterr().err
