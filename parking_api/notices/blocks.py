"""A small document of headings, lists and tables, written as Markdown or as HTML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#])")

STYLE: Final = (
    "body{font-family:'Noto Serif CJK SC','Songti SC',SimSun,serif;max-width:46rem;"
    "margin:2rem auto;padding:0 1rem;line-height:1.7}h1{text-align:center;font-size:1.5rem}"
    "h2{font-size:1.1rem}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #888;padding:.25rem .6rem;text-align:right}"
    "th:first-child,td:first-child{text-align:left}footer{font-size:.8rem;color:#555}"
)


@dataclass(frozen=True)
class Heading:
    """A heading of the second level."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Listing:
    """A numbered list."""

    items: Sequence[str]


@dataclass(frozen=True)
class Grid:
    """A table: its header, and rows of as many cells."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


Block: TypeAlias = Heading | Paragraph | Listing | Grid


def markdown(title: str, blocks: Sequence[Block]) -> str:
    """Write the document as Markdown (CommonMark with tables)."""
    parts = [f"# {_plain(title)}", *map(_markdown, blocks)]
    return "\n\n".join(parts) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"## {_plain(block.text)}"
    if isinstance(block, Paragraph):
        return _plain(block.text)
    if isinstance(block, Listing):
        return "\n".join(f"{n}. {_plain(item)}" for n, item in enumerate(block.items, 1))
    header, *rows = ([_plain(cell) for cell in row] for row in (block.header, *block.rows))
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def html(title: str, blocks: Sequence[Block]) -> str:
    """Write the document as a page of HTML by itself."""
    body = "\n".join(map(_html, blocks))
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h2>{escape(block.text)}</h2>"
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Listing):
        items = "\n".join(f"<li>{escape(item)}</li>" for item in block.items)
        return f"<ol>\n{items}\n</ol>"
    rows = "\n".join(_row("td", row) for row in block.rows)
    return (
        f"<table>\n<thead>\n{_row('th', block.header)}\n</thead>\n<tbody>\n{rows}\n</tbody>"
        "\n</table>"
    )


def _row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
