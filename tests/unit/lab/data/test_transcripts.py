"""Texts as the words that are said, and where a corpus writes them."""

from pathlib import Path

import pytest
from makeittalk.exchange.errors import InputError
from makeittalk_lab.data.transcripts import Transcript, aligned_words, grid_words, read_transcripts, spoken_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mrs. Rachel Linde's well-drained walk.", "mrs rachel linde's well drained walk"),
        ("“Oh, no,” said Mr. Bingley — who’d gone.", "oh no said mister bingley who'd gone"),
        ("Chapter 17. In 1665, 2,000 feet; the 13th.", "chapter 17 in 1665 2000 feet the 13th"),
        ("CHAPTER XII. I saw them.", "chapter 12 i saw them"),
        ("Part IV, volume XL, scene I.", "part 4 volume 40 scene 1"),
        ("Patrick D.C., M, H, Gil and WPL", "patrick d. c. m. h. gil and w. p. l."),
        ("A man and I met Dr. Silence & St. Nicholas.", "a man and i met doctor silence and saint nicholas"),
        ("'Twas a café called naïve", "twas a cafe called naive"),
        ("", ""),
    ],
)
def test_text_becomes_words(text: str, words: str) -> None:
    assert " ".join(spoken_words(text)) == words


def test_a_table_of_transcripts_is_read(tmp_path: Path) -> None:
    assert read_transcripts(tmp_path) == {}
    table = tmp_path / "transcripts.tsv"
    table.write_text("file\tmean_logprob\ttext\n1-2-3\t-0.250\tHello, there.\n")
    assert read_transcripts(tmp_path) == {"1-2-3": Transcript("Hello, there.", -0.25)}
    for wrong in (
        "name\ttext\n1\tHi\n",
        "file\tmean_logprob\ttext\n1\tnone\tHi\n",
        "file\tmean_logprob\ttext\n1\tHi\n",
        "\n",
    ):
        table.write_text(wrong)
        with pytest.raises(InputError, match="no table of transcripts"):
            read_transcripts(tmp_path)


def test_sentences_of_grid_name_their_words(tmp_path: Path) -> None:
    assert grid_words("s26_bgbsza") == "bin green by s. zero again".split()
    assert grid_words("lwix4p") == "lay white in x. four please".split()
    for other in ("103-1240-0000", "bgbwza", "bgbsz", "speech", ""):  # GRID has no letter W
        assert grid_words(other) == []
    path = tmp_path / "bgbsza.align"
    assert aligned_words(path) == []
    path.write_text(
        "0 10 sil\n10 20 bin\n20 30 green\n30 40 by\n40 50 s\n50 60 sp\n60 70 zero\n70 80 again\n80 90 sil\n"
    )
    assert aligned_words(path) == grid_words("bgbsza")
