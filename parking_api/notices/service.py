"""The notice as a whole. It says nothing of the day that it is asked for: only of the version."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pricing
from parking_api.notices.blocks import Block, Grid, Heading, Listing, Paragraph
from pricing.document import Period
from pricing.texts import clauses, naming
from pricing.texts.words import duration, money

LENGTHS_S: Final = (900, 1800, 3600, 5400, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400)


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


def title(subject: Subject) -> str:
    """The notice's title."""
    return f"关于{subject.tariff.name.zh}停放服务收费标准的公告"


def blocks(subject: Subject) -> list[Block]:
    """What the notice says, in order."""
    tariff = subject.tariff
    found: list[Block] = [
        Heading("一、适用范围"),
        Paragraph(_scope(subject)),
        Heading("二、收费标准"),
        Listing([clauses.period(tariff, each) for each in tariff.periods]),
    ]
    rest = [
        ("最高收费", list(clauses.caps(tariff))),
        ("免费停放", [each for each in [clauses.grace(tariff)] if each]),
        ("车型", _vehicles(tariff)),
        ("优惠", [clauses.entitlement(each) for each in tariff.entitlements]),
        ("计费规则", clauses.rules(tariff)),
        ("收费依据", list(subject.references)),
        ("执行时间", [_times(subject)]),
    ]
    numbers = iter("三四五六七八九十")
    for heading, sentences in rest:
        if sentences:
            found.append(Heading(f"{next(numbers)}、{heading}"))
            found.append(Listing(sentences) if len(sentences) > 1 else Paragraph(sentences[0]))
    found.append(Heading(f"{next(numbers)}、停车费速算表"))
    found += _quick_tables(subject)
    found.append(
        Paragraph(
            f"收费标准编号：{tariff.id}，第{subject.version}版。内容校验（SHA-256）："
            f"{subject.content_hash}。"
        )
    )
    return found


def _scope(subject: Subject) -> str:
    places = "、".join(subject.places)
    if not subject.lot_types:
        return f"本标准适用于：{places}。"
    types = naming.listed(list(subject.lot_types), naming.LOT_TYPES)[0]
    return f"本标准适用于下列区域的{types}：{places}。"


def _vehicles(tariff: pricing.Tariff) -> list[str]:
    vehicles = tariff.vehicles or {}
    return [clauses.vehicle(tariff, name, each) for name, each in vehicles.items()]


def _times(subject: Subject) -> str:
    zone = ZoneInfo(subject.tariff.timezone)
    if subject.withdrawn:
        return "本标准已撤回，不再执行。"
    start = f"本标准自{_moment(subject.effective_from, zone)}起执行"
    if subject.effective_to is None:
        return f"{start}。"
    return f"{start}，至{_moment(subject.effective_to, zone)}止。"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    day = f"{local.year}年{local.month}月{local.day}日"
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return day
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{day}{clock}"


def _quick_tables(subject: Subject) -> Iterator[Block]:
    """For each charging period a table: fee by length of stay, from its start on."""
    for each in subject.tariff.periods:
        entry = None if each.charge == "free" else _first_start(subject, each)
        if entry is not None:
            zone = ZoneInfo(subject.tariff.timezone)
            local = entry.astimezone(zone)
            yield Paragraph(f"自{each.start}入场（以{local.month}月{local.day}日为例），未计优惠：")
            yield _quick_table(subject, entry)


def _quick_table(subject: Subject, entry: datetime) -> Grid:
    tariff = subject.tariff
    names: list[str | None] = list(tariff.vehicles) if tariff.vehicles else [None]
    columns = [
        pricing.fee_table(tariff, LENGTHS_S, entry, vehicle=name, calendar=subject.calendar)
        for name in names
    ]
    called = [_class(tariff, name) for name in names]
    rows = [
        (duration(length)[0], *(money(column[place][1], tariff.currency)[0] for column in columns))
        for place, length in enumerate(LENGTHS_S)
    ]
    return Grid(("停放时间", *called), rows)


def _class(tariff: pricing.Tariff, name: str | None) -> str:
    if tariff.vehicles is None or name is None:
        return "停车费"
    return naming.vehicle(name, tariff.vehicles[name])[0]


def _first_start(subject: Subject, period: Period) -> datetime | None:
    """The first start of a period within a year of coming into force, where it governs alone."""
    zone = ZoneInfo(subject.tariff.timezone)
    first = subject.effective_from.astimezone(zone)
    hour, minute = map(int, period.start.split(":"))
    # Without grace, so that even a stay of a second meets its period.
    bare = pricing.read_tariff(subject.tariff.document() | {"grace": {"mode": "none"}})
    # When a period governs is the same for every class.
    vehicle = next(iter(subject.tariff.vehicles or {}), None)
    for days in range(1, 367):
        at = (first + timedelta(days=days)).replace(
            hour=hour % 24, minute=minute, second=0, microsecond=0
        )
        stay = pricing.Stay(at, at + timedelta(seconds=1), vehicle)
        lines = pricing.quote(bare, stay, calendar=subject.calendar).lines
        if lines and lines[0].period_id == period.id:
            return at
    return None
