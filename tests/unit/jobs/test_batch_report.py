"""The report of a batch: a table, and a page that shows whatever a list says as text."""

from __future__ import annotations

import csv
from html.parser import HTMLParser
from pathlib import Path

from makeittalk.exchange.formats.shots import Problem, Shot
from makeittalk.jobs import batch_report as report
from makeittalk.jobs.batch_attempts import MOST, Attempts
from makeittalk.jobs.batch_work import Made, Task

HOSTILE = "<script>alert(1)</script>\"'&{title}"


class Reader(HTMLParser):
    """What a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def rows() -> list[report.Row]:
    shot = Shot(2, Path("/p/ada.png"), Path("/p/ada.wav"), (Path("/p/a.mp4"), Path("/p/a.npz")))
    made = Made([], 2.5, 4.0, 25.0, 100, 800_000_000, ["It is a drawing."], b"\xff\xd8picture")
    hostile = Shot(4, Path(f"/p/{HOSTILE}"), Path("/p/x.wav"), (Path(f"/p/{HOSTILE}.mp4"),))
    return [
        report.row_of(Task("a", shot), report.MADE, made),
        report.row_of_problem(Problem(3, HOSTILE, HOSTILE, HOSTILE, HOSTILE)),
        report.row_of(Task("b", hostile), report.FAILED, message=f"{HOSTILE} broke."),
    ]


def test_the_page_is_one_file_and_nothing_of_a_list_is_markup(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report.write_page(path, HOSTILE, rows(), HOSTILE)
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert "script" not in reader.tags and reader.tags.count("tr") == 4 and reader.tags.count("img") == 1
    assert all(source.startswith(("data:image/jpeg;base64,", "#line")) for source in reader.sources)
    assert HOSTILE in reader.text and f"{HOSTILE} broke." in reader.text
    assert "4.0 s" in reader.text and "800 MB" in reader.text and "1 made, 1 failed, 1 not usable" in reader.text


def test_the_table_has_a_row_a_line(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    report.write_table(path, rows())
    with path.open(newline="", encoding="utf-8") as stream:
        first, second, third = csv.DictReader(stream)
    assert (first["status"], first["speech_s"], first["frames"], first["memory_mb"]) == ("made", "4.00", "100", "800")
    assert second["status"] == "not usable" and second["message"] == HOSTILE and second["seconds"] == ""
    assert third["line"] == "4" and third["message"] == f"{HOSTILE} broke."


def test_no_cell_of_the_table_is_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    formulas = ("=1+1", "+1", "-1", "@x", "\t=1")
    report.write_table(path, [report.row_of_problem(Problem(n, f, f, f, f)) for n, f in enumerate(formulas)])
    with path.open(newline="", encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    for row, formula in zip(found, formulas, strict=True):
        assert {row[name] for name in ("portrait", "audio", "output", "message")} == {f"'{formula}"}


def test_a_shot_is_given_up_after_its_second_worker_and_made_last_before() -> None:
    shots = [Task(name, Shot(2, Path("a"), Path("b"), ())) for name in "ab"]
    attempts = Attempts(shots)
    first = attempts.next()
    assert attempts.worker_ended(first, "by SIGKILL") is None
    assert [attempts.next().key, attempts.next().key] == ["b", "a"]
    for _ in range(MOST - 2):
        assert attempts.worker_ended(first, "by SIGKILL") is None
    given_up = attempts.worker_ended(first, "by SIGKILL")
    assert given_up is not None and "2 times" in given_up.sentence and "SIGKILL" in given_up.sentence
    assert len(attempts) == 0


def test_a_lost_machine_is_not_the_shots_fault() -> None:
    task = Task("a", Shot(2, Path("a"), Path("b"), ()))
    attempts = Attempts([task])
    for _ in range(4):
        assert attempts.machine_lost(attempts.next()) is None
    assert attempts.machine_lost(attempts.next()) is not None
