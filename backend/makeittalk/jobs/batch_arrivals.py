"""What comes into a folder that is watched: lists, and pictures and recordings of one name, once nobody writes them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from ..exchange import suffixes
from ..exchange.formats.shots import MAX_SHOTS, Problem, Shot, ShotList

SETTLED = 2.0  # s that a file stays as it is before it counts as whole
PAIRS = "made"  # the folder within the watched one that takes what is made of pairs

State = tuple[int, int]


@dataclass
class _Seen:
    state: State
    since: float


class Arrivals:
    """Looks at a folder again and again.

    Args:
        folder: its files count, those of folders within do not. wanted: suffixes of what is made of a pair.
    """

    def __init__(self, folder: Path, wanted: tuple[str, ...]) -> None:
        self._folder, self._wanted = folder.absolute(), wanted
        self._seen: dict[Path, _Seen] = {}
        self._taken: dict[Path, State] = {}
        self._pairs: dict[str, tuple[State, ...]] = {}
        self._unfinished: set[Path] = set()  # lists of which something is missing
        self._ours: set[Path] = set()
        self._steady_then: set[tuple[Path, State]] = set()

    def new_pairs(self) -> ShotList | None:
        """All pairs there are, once one of them is new or changed; None where none is."""
        steady = self._look()
        pairs: dict[str, tuple[list[Path], list[Path]]] = {}
        for path in sorted(steady):
            pictures, sounds = pairs.setdefault(path.stem, ([], []))
            if suffixes.is_portrait(path.name):
                pictures.append(path)
            elif suffixes.is_speech(path.name):
                sounds.append(path)
        whole = {stem: pair for stem, pair in pairs.items() if pair[0] and pair[1]}
        states = {stem: tuple(steady[path] for kind in pair for path in kind) for stem, pair in whole.items()}
        if not any(self._pairs.get(stem) != state for stem, state in states.items()):
            return None
        self._pairs = states
        found = ShotList(self._folder / PAIRS)
        for line, (stem, (pictures, sounds)) in enumerate(list(whole.items())[:MAX_SHOTS], 1):
            outputs = tuple(self._folder / PAIRS / f"{stem}{suffix}" for suffix in self._wanted)
            if len(pictures) > 1 or len(sounds) > 1:
                said = f"Several files are called {stem}: {', '.join(path.name for path in (*pictures, *sounds))}."
                found.problems.append(Problem(line, f"{said[:-1]}; leave one picture and one recording.", stem))
            else:
                found.shots.append(Shot(line, pictures[0], sounds[0], outputs))
        return found

    def new_lists(self) -> list[Path]:
        """Lists that are new or changed, and those of which something was missing, once something has come."""
        steady = self._look()
        now = set(steady.items())
        came = bool(now - self._steady_then)
        self._steady_then = now
        again = self._unfinished if came else set()
        return [
            path
            for path, state in sorted(steady.items())
            if path.suffix.lower() == ".csv"
            and path not in self._ours
            and (self._taken.get(path) != state or path in again)
        ]

    def taken(self, path: Path) -> None:
        """Says that a list is being made as it is now."""
        if path in self._seen:
            self._taken[path] = self._seen[path].state
        self._unfinished.discard(path)

    def wrote(self, shots: ShotList, unfinished: bool) -> None:
        """Says what a list has written, which is no list, and whether it wants another try."""
        self._ours |= {Path(os.path.normpath(output)) for shot in shots.shots for output in shot.outputs}
        if unfinished:
            self._unfinished.add(shots.path)

    def still_growing(self, shots: ShotList) -> bool:
        """Whether something that a list is made from was written just now."""
        now = time.time()
        for file in {file for shot in shots.shots for file in shot.inputs().values()}:
            try:
                if 0 <= now - file.stat().st_mtime < SETTLED:
                    return True
            except OSError:
                continue  # the list's own check says so
        return False

    def _look(self) -> dict[Path, State]:
        """Looks at the folder; what nobody writes any more."""
        now, there = time.monotonic(), {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                try:
                    if entry.name.startswith(".") or not entry.is_file():
                        continue
                    found = entry.stat()
                except OSError:
                    continue  # it has gone meanwhile
                there[self._folder / entry.name] = (found.st_size, found.st_mtime_ns)
        for path, state in there.items():
            seen = self._seen.get(path)
            if seen is None or seen.state != state:
                self._seen[path] = _Seen(state, now)
        for path in self._seen.keys() - there.keys():
            del self._seen[path]
        return {path: seen.state for path, seen in self._seen.items() if seen.state[0] and now - seen.since >= SETTLED}
