"""The built pages, as they lie in `dist/`: read once, and sent as they were compressed there."""

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
        """Return what has this name under `assets/`, if there is such a thing."""
        return self._assets.get(name)

    @cached_property
    def _pages(self) -> Mapping[str, bytes]:
        return {path.name: path.read_bytes() for path in self.directory.glob("*.html")}

    @cached_property
    def _assets(self) -> Mapping[str, Asset]:
        files = {path.name: path for path in self.directory.glob("assets/*")}
        return {
            name: Asset(
                _MEDIA_TYPES[path.suffix],
                path.read_bytes(),
                {
                    coding: files[name + ending].read_bytes()
                    for ending, coding in CODINGS.items()
                    if name + ending in files
                },
            )
            for name, path in files.items()
            if path.suffix not in CODINGS
        }
