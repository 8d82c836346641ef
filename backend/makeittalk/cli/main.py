"""The command line: arguments in, one of the registry's commands run, exit status and at most one sentence out."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence

from ..exchange import temporary
from ..exchange.blas import use_one_thread, wait_asleep
from ..exchange.errors import Cancelled, InputError, MakeItTalkError, MissingError, file_error
from ..exchange.version import VERSION
from .registry import Registry


class _Parser(argparse.ArgumentParser):
    """argparse whose complaints are one sentence, as every other error here."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise InputError(f"{message[:1].upper()}{message[1:]}.", f"See `{self.prog} --help`.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: what follows the program's name, `sys.argv` by default.

    Returns:
        0 on success, 2 for a bad input, 130 when interrupted, 1 for a fault of the program.
    """
    use_one_thread()
    wait_asleep()
    # A terminal's end stops the work as Ctrl-C does, so that nothing half-written stays.
    with contextlib.suppress(ValueError):  # not the main thread: the caller handles signals
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        registry = Registry.find()
        if arguments:
            registry.check(arguments[0])
        options = parser(registry).parse_args(arguments)
        temporary.sweep()
        return registry.commands[options.command].run(options) or 0
    except (Cancelled, KeyboardInterrupt):
        return _complain("Interrupted.", 130)
    except MakeItTalkError as error:
        return _complain(str(error), error.exit_status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader has gone; the interpreter must not complain again
        return 1
    except MemoryError:
        return _complain("The machine ran out of memory.", 1)
    except ModuleNotFoundError as error:
        if os.environ.get("MAKEITTALK_DEBUG"):
            raise
        missing = (error.name or str(error)).partition(".")[0]
        way_out = "Install it; `make env-lab` in a checkout installs all that trains and measures."
        return _complain(f"This Python lacks the package {missing}. {way_out}", MissingError.exit_status)
    except Exception as error:
        if os.environ.get("MAKEITTALK_DEBUG"):
            raise
        refused = file_error(error)
        if refused is not None:
            return _complain(str(refused), refused.exit_status)
        return _complain(f"Internal error: {type(error).__name__}: {error} (MAKEITTALK_DEBUG=1 shows where).", 1)


def _complain(sentence: str, status: int) -> int:
    print(f"makeittalk: {' '.join(sentence.split())}", file=sys.stderr)
    return status


def parser(registry: Registry | None = None) -> argparse.ArgumentParser:
    """The command line's grammar.

    Args:
        registry: the commands, by default all that can be found.
    """
    registry = registry or Registry.find()
    root = _Parser(
        prog="makeittalk",
        description="A portrait and a voice become a talking character.",
        epilog=" ".join(error.message for error in registry.broken.values()),
    )
    root.add_argument("--version", action="version", version=f"makeittalk {VERSION}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for command in registry.commands.values():
        command.add_arguments(commands.add_parser(command.name, help=command.help))
    return root


if __name__ == "__main__":
    raise SystemExit(main())
