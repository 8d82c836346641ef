"""Takes out of a text what is nobody's business: paths, names of people and of their files. No bpy here.

Rather too much than too little: what may still belong to a path goes with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from ...backend.makeittalk.exchange import suffixes

#: Where a path begins: a drive, a network share, a home, the root of a file system, here or above, an option's value.
_ROOT = re.compile(
    r"""file:[\\/]+
    | (?<![A-Za-z0-9])[A-Za-z]:[\\/]+
    | \\\\+[?.]\\+(?:UNC\\+|[A-Za-z]:\\+)?
    | ~[\w.-]*[\\/]+(?!<)
    | (?<![\w.])\.{1,2}[\\/]+
    | (?<=\s-[A-Za-z])/
    | %\w+%[\\/]+ | \$\{?\w+\}?[\\/]+
    | (?<![\w.<>/\\])[\\/]+(?=[^\s\\/<])""",
    re.VERBOSE | re.IGNORECASE,
)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>]+", re.IGNORECASE)
_HOSTS = ("pypi.org", "pythonhosted.org", "pytorch.org", "blender.org", "github.com")  # of no use to a spy
_ENDS = '"<>|\r\t'  # no path goes on behind one
_OPENS = "\"'`"
#: Files that are the program's, not the user's.
_PROGRAM = (".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".exe", ".log", ".whl", ".toml", ".safetensors", ".task")
_PYTHON = re.compile(r"(?:python|pip|blender|uv)[\d.]*", re.IGNORECASE)
#: Words of the program's own: a file called so tells nothing, and a report without them would tell nothing either.
_WORDS = frozenset(
    "audio blink character example face frame frames head lip lips motion movie photo picture portrait scene seed "
    "smooth sound speech start strip style take test texture untitled video voice".split()
)
_SUFFIX = re.compile(r".*?\.[A-Za-z0-9]{1,11}(?![\w.])")
_WORD = re.compile(r"[^\s\"'`<>|:;,()=]+")
_MEDIA = re.compile(
    "(" + "|".join(re.escape(suffix) for suffix in (*suffixes.PORTRAIT, *suffixes.SPEECH, ".blend")) + r")(?!\w)",
    re.IGNORECASE,
)


class Scrubber:
    """Rewrites texts so that they tell of the program and not of its user.

    Args:
        home: the user's home folder.
        people: names of the user and of the machine.
        files: names of the user's pictures, recordings, characters, strips and .blend files.
        roots: folders of the program itself, by what each is called instead; what lies in them keeps its name.
    """

    def __init__(
        self, home: str, people: Iterable[str] = (), files: Iterable[str] = (), roots: Mapping[str, str] | None = None
    ) -> None:
        self._home = _plain(home)
        known = {_plain(folder): label for label, folder in (roots or {}).items() if len(_plain(folder)) > 1}
        self._roots = sorted(known.items(), key=lambda item: -len(item[0]))
        folders = [self._home, *known] if self._home else [*known]
        written = sorted((re.escape(folder).replace("/", r"[\\/]+") for folder in folders), key=len, reverse=True)
        self._folders = re.compile(rf"(?:{'|'.join(written)})(?![\w\\/.-])", re.IGNORECASE) if written else None
        self._people = _either(people, 2)
        names = {name for file in files for name in (file, _stem(file)) if name.lower() not in _WORDS}
        self._files = _either(names, 3)

    def scrub(self, text: str) -> str:
        """The text without paths and names."""
        pieces, done = [], 0
        for url in _URL.finditer(text):
            if url[0].lower().startswith("file:"):
                continue
            pieces += [self._without_paths(text[done : url.start()]), _host(url[0])]
            done = url.end()
        pieces.append(self._without_paths(text[done:]))
        scrubbed = "".join(pieces)
        if self._files:
            scrubbed = self._files.sub("<name>", scrubbed)
        scrubbed = _WORD.sub(_without_media, scrubbed)
        return self._people.sub("USER", scrubbed) if self._people else scrubbed

    def _without_paths(self, text: str) -> str:
        pieces, done = [], 0
        while (root := _ROOT.search(text, done)) is not None:
            exact = self._folders.match(text, root.start()) if self._folders else None
            end = exact.end() if exact else _end(text, root)
            pieces += [text[done : root.start()], self._describe(text[root.start() : end])]
            done = end
        return "".join([*pieces, text[done:]])

    def _describe(self, path: str) -> str:
        """What is said instead of a path."""
        plain = _plain(path)
        folded = plain.casefold()
        for folder, label in self._roots:
            if folded == folder.casefold() or folded.startswith(f"{folder.casefold()}/"):
                return label + plain[len(folder) :]
        at_home = self._home and (folded == self._home.casefold() or folded.startswith(f"{self._home.casefold()}/"))
        place = "~" if at_home or path.startswith("~") else "<path>"
        if at_home and folded == self._home.casefold():
            return place
        name = plain.rpartition("/")[2]
        if name.lower().endswith(_PROGRAM) or _PYTHON.fullmatch(name):
            return f"{place}/{name}"
        suffix = re.search(r"\.[A-Za-z0-9]{1,11}$", name)
        return f"{place}/<file>{suffix[0]}" if suffix else place


def _end(text: str, root: re.Match[str]) -> int:
    """Where a path ends that begins with `root`: names may hold blanks, commas, brackets and apostrophes."""
    start = root.start()
    opening = text[start - 1] if start else ""
    if opening and opening in _OPENS:
        newline = text.find("\n", root.end())
        line = text[root.end() : newline if newline >= 0 else len(text)]
        closing = re.search(re.escape(opening) + (r"(?!\w)" if opening == "'" else ""), line)
        if closing:
            return root.end() + closing.start()
    newline = text.find("\n", root.end())
    stop = newline if newline >= 0 else len(text)
    stop = min((at for sign in _ENDS if (at := text.find(sign, root.end(), stop)) >= 0), default=stop)
    following = _ROOT.search(text, root.end(), stop)
    while following is not None:  # another path begins behind a blank or a sign; inside a name none does
        if text[following.start() - 1] in " =:,;([{\"'`":
            stop = following.start()
            break
        following = _ROOT.search(text, following.end(), stop)
    body = text[root.end() : stop]
    last = max(body.rfind("/"), body.rfind("\\")) + 1
    named = _SUFFIX.match(body, last)
    if named:
        return root.end() + named.end()
    word = re.compile(r"[^\s,;:)\]}'`]*").match(body, last)
    return root.end() + (word.end() if word else last)


def _without_media(word: re.Match[str]) -> str:
    """A word without the name of a picture, a recording or a .blend file that it holds."""
    found = [match for match in _MEDIA.finditer(word[0]) if match.start()]
    return f"<file>{found[-1][1]}{word[0][found[-1].end() :]}" if found else word[0]


def _plain(path: str) -> str:
    """A path with one kind of separators, none doubled and none at its end."""
    joined = re.sub(r"[\\/]+", "/", re.sub(r"^file:[\\/]+(?=[A-Za-z]:)|^file:[\\/]*(?=[\\/])", "", path))
    return joined.rstrip("/") if len(joined) > 1 else joined


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _host(url: str) -> str:
    """A public package index or forge as it is, another address without its name, no password of either."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "<address>"
    if any(host == known or host.endswith(f".{known}") for known in _HOSTS):
        return f"{parts.scheme}://{host}{parts.path}"
    return f"{parts.scheme}://<host>"


def _either(names: Iterable[str], shortest: int) -> re.Pattern[str] | None:
    """Finds any of the names as whole words, as they are and as JSON and addresses write them."""
    written = {
        form
        for name in names
        if len(name.strip()) >= shortest
        for form in (name.strip(), json.dumps(name.strip())[1:-1], quote(name.strip(), errors="replace"))
    }
    if not written:
        return None
    longest_first = sorted(written, key=len, reverse=True)
    return re.compile(
        r"(?<![^\W_])(?:" + "|".join(re.escape(form) for form in longest_first) + r")(?![^\W_])", re.IGNORECASE
    )
