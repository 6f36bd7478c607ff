"""A notice as a page of HTML, and as Markdown; the templates stand beside this file."""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from parking_api.notices.models import Notice

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#])")


def _plain(value: object) -> str:
    """Escape what Markdown would take for its own marks."""
    return _SPECIAL.sub(r"\\\1", str(value))


_HTML: Final = Environment(
    loader=PackageLoader(__package__),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)
# Every `{{ }}` goes through `finalize`: as with autoescape, no template can forget to escape.
_MARKDOWN: Final = _HTML.overlay(autoescape=False, finalize=_plain)


def html(notice: Notice) -> str:
    """Write the notice as a page of HTML by itself."""
    return _HTML.get_template("notice.html.j2").render(vars(notice))


def policy(page: str) -> str:
    """Return the Content-Security-Policy of a page: its own style, and nothing else."""
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def markdown(notice: Notice) -> str:
    """Write the notice as Markdown (CommonMark with tables)."""
    return _MARKDOWN.get_template("notice.md.j2").render(vars(notice))
