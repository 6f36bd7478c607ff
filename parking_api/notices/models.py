"""The shapes of requests for notices, and of what a notice is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

import pricing
from parking_api.models import Answer
from parking_api.parameters import Parameters
from parking_api.tariffs.models import BureauVersion
from pricing.texts import Words

Language = Literal["zh", "en"]
SectionKind = Literal[
    "scope",
    "rates",
    "caps",
    "free",
    "vehicles",
    "concessions",
    "rules",
    "basis",
    "effect",
    "quick_tables",
]


class NoticeAsk(Parameters):
    """The form of a notice, and its language."""

    f: Annotated[
        Literal["md", "html", "json"],
        Field(description="Markdown, HTML, or its sentences and tables as JSON."),
    ] = "html"
    lang: Annotated[Language, Field(description="Chinese or English.")] = "zh"


@dataclass(frozen=True)
class Subject:
    """What a notice is of.

    Attributes:
        version: The tariff version.
        tariff: Its document.
        places: Names of the zones or lots that it applies to.
        references: Legal references of the price controls that hold for it.
        effective_from: When it comes into force.
        calendar: The city's, for a tariff without its own.
    """

    version: BureauVersion
    tariff: pricing.Tariff
    places: Sequence[Words]
    references: Sequence[Words]
    effective_from: datetime
    calendar: pricing.Calendar


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
        kind: What it is about.
        heading: Its text, with its number.
        sentences: A numbered list, or paragraphs.
        numbered: Whether they are a numbered list.
        tables: Quick tables.
    """

    kind: SectionKind
    heading: str
    sentences: Sequence[str] = ()
    numbered: bool = False
    tables: Sequence[QuickTable] = ()


@dataclass(frozen=True)
class Notice:
    """The whole text.

    Attributes:
        title: Its heading.
        sections: What it says.
        identity: Its last line, which tells the version apart.
        number: The document number, below the title; None where it has none.
        signature: The office that issues it and the date, as far as they are given.
        language: What it is written in.
    """

    title: str
    sections: Sequence[Section]
    identity: str
    number: str | None = None
    signature: Sequence[str] = ()
    language: Language = "zh"


class TableInWords(Answer):
    """A quick table: charges by length of stay."""

    caption: str
    header: list[str]
    rows: list[list[str]] = Field(description="Each has as many cells as the header.")


class SectionInWords(Answer):
    """A part of a notice."""

    kind: SectionKind = Field(description="What it is about.", examples=["rates"])
    heading: str = Field(description="With its number.", examples=["二、收费标准"])
    sentences: list[str]
    tables: list[TableInWords]


class NoticeInWords(Answer):
    """A notice as JSON, for those who show parts of it: its words are those of the other forms."""

    language: Language
    title: str
    number: str | None = Field(description="The document number; null where it has none.")
    sections: list[SectionInWords] = Field(
        description="In their order; a section that has nothing to say is left out."
    )
    signature: list[str] = Field(description="Who issues it, and its date, as far as given.")
    identity: str = Field(description="Its last line, which tells the version apart.")
