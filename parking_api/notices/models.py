"""What a notice is asked for, made of and consists of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

import pricing
from parking_api.parameters import Parameters


class NoticeAsk(Parameters):
    """The form of a notice."""

    f: Annotated[Literal["md", "html"], Field(description="Markdown or HTML.")] = "html"


@dataclass(frozen=True)
class Subject:
    """What a notice is of.

    Attributes:
        tariff: The document.
        version: Its number.
        content_hash: Its hash.
        places: Names of the zones or lots that it applies to, in Chinese.
        lot_types: Types of lots; empty where it applies to single lots.
        references: Legal references of the price controls that hold for it.
        effective_from: When it comes into force.
        effective_to: When it ends; None for no end yet.
        calendar: The city's, for a tariff without its own.
        withdrawn: Whether it has been withdrawn.
    """

    tariff: pricing.Tariff
    version: int
    content_hash: str
    places: Sequence[str]
    lot_types: Sequence[str]
    references: Sequence[str]
    effective_from: datetime
    effective_to: datetime | None
    calendar: pricing.Calendar
    withdrawn: bool = False


@dataclass(frozen=True)
class QuickTable:
    """Fees by length of stay; each row has as many cells as the header."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A heading, with sentences or tables below it.

    Attributes:
        heading: Its text, with its number.
        sentences: A numbered list, or paragraphs.
        numbered: Whether they are a numbered list.
        tables: Quick tables.
    """

    heading: str
    sentences: Sequence[str] = ()
    numbered: bool = False
    tables: Sequence[QuickTable] = ()


@dataclass(frozen=True)
class Notice:
    """The whole text; `identity` is its last line, which tells the version apart."""

    title: str
    sections: Sequence[Section]
    identity: str
