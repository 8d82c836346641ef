"""`makeittalk weights`: the files of the networks: listed, checked, imported from the original checkpoints, removed."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..exchange.data_folder import RELEASED
from ..exchange.errors import InputError
from .command import Command
from .terminal import progress_bar


def add_arguments(parser: ArgumentParser) -> None:
    """What to do with them."""
    parser.add_argument("action", choices=("list", "verify", "import", "remove"))
    parser.add_argument(
        "folder",
        nargs="?",
        metavar="FOLDER",
        help="to import: a clone of the original MakeItTalk repository with its checkpoints in examples/ckpt",
    )
    parser.add_argument("--name", default=RELEASED, help="of the set to import or to remove (default: %(default)s)")


def run(options: Namespace) -> None:
    """Imports or removes a set, or lists the files, after checking them where that is asked for."""
    from ..weights.files import list_weights, verify_weights
    from ..weights.imported import list_imported, remove_imported, verify_imported

    if options.action == "import":
        _import(options)
        return
    if options.folder is not None:
        instead = f"Say --name {options.folder}." if options.action == "remove" else "Leave it out."
        raise InputError(f"weights {options.action} takes no folder.", instead)
    if options.action == "remove":
        print(f"{remove_imported(options.name)} is removed.")
        return
    if options.action == "verify":
        verify_weights()
    for entry in list_weights():
        print(entry)
    for found in list_imported():
        if options.action == "verify":
            with progress_bar() as progress:
                verify_imported(found.name, progress)
        for entry in found.files:
            print(f"{found.name}/{entry}")


def _import(options: Namespace) -> None:
    from ..weights.importer import import_released
    from ..weights.released_layout import LICENCE

    if options.folder is None:
        raise InputError("No folder is named to import from.", "Name a clone of the original MakeItTalk repository.")
    with progress_bar() as progress:
        folder = import_released(options.folder, options.name, progress)
    print(f"{folder}: use it with --weights {options.name}. Its licence is {LICENCE}: not for commerce.")


COMMAND = Command("weights", "what the networks know", run, add_arguments)
