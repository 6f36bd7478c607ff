"""The built pages, as they lie in `dist/`: read once, and sent as they were compressed there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Final

from parking_api.errors import ApiError

BUILT: Final = Path(__file__).with_name("dist")
_MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
# What pages load: a name, a hash, an ending; not what is beside it, compressed.
_NAME: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9.-]*({'|'.join(map(re.escape, _MEDIA_TYPES))})")
# The ending of a compressed copy, and the coding that it has; the smallest first.
CODINGS: Final[Mapping[str, str]] = {".br": "br", ".gz": "gzip"}


class PagesNotBuiltError(ApiError, status=HTTPStatus.SERVICE_UNAVAILABLE, kind="pages-not-built"):
    """The pages are not built: run `make setup`, and start the platform again."""


@dataclass(frozen=True)
class Asset:
    """What a page loads.

    Attributes:
        media_type: Without a character set.
        body: As it is.
        packed: It compressed, by coding (`br`, `gzip`), the smallest first.
    """

    media_type: str
    body: bytes
    packed: Mapping[str, bytes]


@dataclass(frozen=True)
class Pages:
    """The pages and what they load, from a directory that `build.mjs` has written."""

    directory: Path = field(default=BUILT)

    def page(self, name: str) -> bytes:
        """Return a page, such as `index.html`.

        Raises:
            PagesNotBuiltError: It is not there.
        """
        if name not in self._pages:
            raise PagesNotBuiltError
        return self._pages[name]

    def asset(self, name: str) -> Asset | None:
        """Return what has this name under `assets/`, if there is such a thing.

        What another process, with the pages of a later build, has named is looked for there too:
        while the processes are replaced, one sends a page and another what it loads.
        """
        if name not in self._assets and _NAME.fullmatch(name):
            path = self.directory / "assets" / name
            if path.is_file():
                self._assets[name] = _read(path)
        return self._assets.get(name)

    @cached_property
    def _pages(self) -> Mapping[str, bytes]:
        return {path.name: path.read_bytes() for path in self.directory.glob("*.html")}

    @cached_property
    def _assets(self) -> dict[str, Asset]:
        paths = self.directory.glob("assets/*")
        return {path.name: _read(path) for path in paths if _NAME.fullmatch(path.name)}


def _read(path: Path) -> Asset:
    packed = {
        coding: path.with_name(path.name + ending).read_bytes()
        for ending, coding in CODINGS.items()
        if path.with_name(path.name + ending).exists()
    }
    return Asset(_MEDIA_TYPES[path.suffix], path.read_bytes(), packed)
