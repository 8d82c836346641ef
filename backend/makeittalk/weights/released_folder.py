"""Where a set of the released weights lies: an imported one by its name, any by its folder; its files, verified."""

from __future__ import annotations

import os
from pathlib import Path

from ..exchange.data_folder import RELEASED, SUMS, imported_names, weights_folder
from ..exchange.errors import InputError, MissingError
from .files import MAX_BYTES, list_weights
from .imported import AGAIN, verify_folder

SUFFIX = ".safetensors"
IMAGE = "image_translation"  # the network of photoreal frames in a set


def released_folder(name: str | None) -> Path | None:
    """The folder of a set of the released weights.

    Args:
        name: what `--weights` takes: an imported set, the folder of one, or else a set or file of another kind.

    Returns:
        None where the name is none of such a set.

    Raises:
        MissingError: the released weights are asked for by their name and were never imported.
        InputError: a folder is named that holds no set.
    """
    if not name or name.endswith(SUFFIX):
        return None
    if name in imported_names():
        return weights_folder() / name
    folder = Path(name)
    if any(separator in name for separator in (os.sep, "/")) or (folder / SUMS).is_file():
        if not folder.is_dir():
            return None
        if not (folder / SUMS).is_file():
            raise InputError(
                f"{folder} holds no set of weights: it has no {SUMS}.", "Name the folder of an imported set."
            )
        return folder
    if name == RELEASED:
        raise MissingError(
            "The released weights have not been imported.", "Say makeittalk weights import, and the folder they are in."
        )
    return None


def verified_file(folder: Path, name: str) -> Path:
    """A file of a set, by its name without suffix, its checksum compared.

    Raises:
        MissingError: it is missing. InputError: it, or the set's list, is damaged.
    """
    try:
        files = list_weights(folder)
    except (InputError, MissingError) as error:
        raise type(error)(error.message, AGAIN) from error
    file = next((file for file in files if file.path.name == name + SUFFIX), None)
    if file is None or not file.size:
        raise MissingError(f"The released weights {folder / (name + SUFFIX)} are missing.", AGAIN)
    if file.size > MAX_BYTES:
        raise InputError(f"{file.path} is larger than any network.", AGAIN)
    verify_folder([file])
    return file.path


def released_fingerprint(folder: Path, name: str) -> str:
    """The SHA-256 that a set lists for a file, which is not read.

    Raises:
        MissingError: there is none. InputError: the list is damaged.
    """
    found = {file.name: file.sha256 for file in list_weights(folder)}
    if name not in found:
        raise MissingError(f"The released weights {folder / (name + SUFFIX)} are missing.", AGAIN)
    return found[name]
