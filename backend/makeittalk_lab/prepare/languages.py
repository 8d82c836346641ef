"""Sentences in ten languages whose phones are known to the sample, to measure lips by: said by eSpeak NG."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from makeittalk.audio.loading import write_wav
from makeittalk.exchange import storage
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.progress import Progress, silent

from ..data.clips import Prepared
from ..data.phone_files import FOLDER
from ..synthetic.espeak import Espeak

KIND = "languages"
VARIANTS = ("m3", "f4")  # of eSpeak's voices: a man's and a woman's
_SENTENCES = Path(__file__).with_name("languages.toml")


@dataclass(frozen=True)
class Language:
    """A language to be said.

    Attributes:
        voice: eSpeak's name. name: in English. sentences: in the script that the voice reads.
    """

    voice: str
    name: str
    sentences: list[str]


def languages() -> list[Language]:
    """The ten languages, as `languages.toml` lists them."""
    tables = storage.read_toml(_SENTENCES)
    return [Language(voice, table["name"], table["sentences"]) for voice, table in tables.items()]


def prepare_languages(dest: str | Path, progress: Progress = silent) -> Prepared:
    """Writes `LANGUAGE_SENTENCE_VARIANT.wav` and `phones/LANGUAGE_SENTENCE_VARIANT.json` for every sentence.

    Args:
        dest: folder to write, made where missing; what lies there under these names is replaced.
        progress: told after every language.

    Returns:
        The prepared folder; all its recordings are for tests.

    Raises:
        InputError: a voice of eSpeak NG is missing. MissingError: eSpeak NG is not installed.
    """
    dest, espeak = Path(dest), Espeak.find()
    (dest / FOLDER).mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    spoken = languages()
    for number, language in enumerate(spoken):
        progress(number / len(spoken), "Speaking sentences")
        for place, sentence in enumerate(language.sentences):
            for variant in VARIANTS:
                name = f"{language.voice}_{place}_{variant}"
                sound, phones = espeak.say(sentence, f"{language.voice}+{variant}")
                write_wav(dest / f"{name}.wav", sound, SAMPLE_RATE)
                with storage.replacing(dest / FOLDER / f"{name}.json") as temporary:
                    temporary.write_text(json.dumps(phones), encoding="utf-8")
                names.append(name)
    prepared = Prepared(dest, KIND, [], [], names, {})
    prepared.save()
    progress(1.0, "Speaking sentences")
    return prepared
