"""The notice of a tariff version: what it is made of, and its text."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pricing
from parking_api.notices import queries
from parking_api.notices.models import Notice, QuickTable, Section, Subject
from parking_api.price_controls import service as price_controls
from parking_api.tariffs import service as tariffs
from parking_api.tariffs.key import Key
from pricing import Period
from pricing.texts import clauses, duration, money, naming
from sql.engine import Db

LENGTHS_S: Final = (900, 1800, 3600, 5400, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400)


async def subject(
    db: Db, key: Key, now: datetime, calendar: pricing.Calendar, *, include_drafts: bool
) -> Subject:
    """Read what the notice of a version is made of.

    Args:
        db: A connection.
        key: The version.
        now: When its state counts.
        calendar: The city's.
        include_drafts: Whether one that was never published has a notice.

    Raises:
        TariffUnknownError: There is no such version, or it is not for the caller.
    """
    version = await tariffs.version(db, key, now, include_drafts=include_drafts)
    places = await queries.places(db, version.zones, version.lots)
    # Of a draft nobody knows yet when it comes into force: as if now.
    start = version.effective_from or now
    references = await price_controls.applying(db, version, start, version.effective_to)
    return Subject(
        tariff=version.tariff,
        version=key.version,
        content_hash=version.content_hash,
        places=places,
        lot_types=version.lot_types,
        references=list(dict.fromkeys(each.legal_reference_zh for each in references)),
        effective_from=start,
        effective_to=version.effective_to,
        calendar=calendar,
        withdrawn=version.state == "withdrawn",
    )


def compose(subject: Subject) -> Notice:
    """Compose the notice of a version. It depends on the version alone, not on today."""
    tariff = subject.tariff
    title = f"关于{tariff.name.zh}停放服务收费标准的公告"
    identity = (
        f"收费标准编号：{tariff.id}，第{subject.version}版。"
        f"内容校验（SHA-256）：{subject.content_hash}。"
    )
    return Notice(title, list(_sections(subject)), identity)


def _sections(subject: Subject) -> Iterator[Section]:
    tariff = subject.tariff
    vehicles = (tariff.vehicles or {}).items()
    yield Section("一、适用范围", [_scope(subject)])
    periods = [clauses.period(tariff, each) for each in tariff.periods]
    yield Section("二、收费标准", periods, numbered=True)
    rest = [
        ("最高收费", list(clauses.caps(tariff))),
        ("免费停放", [each for each in [clauses.grace(tariff)] if each]),
        ("车型", [clauses.vehicle(tariff, name, each) for name, each in vehicles]),
        ("优惠", [clauses.entitlement(each) for each in tariff.entitlements]),
        ("计费规则", clauses.rules(tariff)),
        ("收费依据", list(subject.references)),
        ("执行时间", [_times(subject)]),
    ]
    numbers = iter("三四五六七八九十")
    for heading, sentences in rest:
        if sentences:
            numbered = len(sentences) > 1
            yield Section(f"{next(numbers)}、{heading}", sentences, numbered=numbered)
    tables = list(_quick_tables(subject))
    yield Section(f"{next(numbers)}、停车费速算表", tables=tables)


def _scope(subject: Subject) -> str:
    places = "、".join(subject.places)
    if not subject.lot_types:
        return f"本标准适用于：{places}。"
    types = naming.listed(list(subject.lot_types), naming.LOT_TYPES)[0]
    return f"本标准适用于下列区域的{types}：{places}。"


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


def _quick_tables(subject: Subject) -> Iterator[QuickTable]:
    """For each charging period a table: fee by length of stay, from its start on."""
    for each in subject.tariff.periods:
        entry = None if each.charge == "free" else _first_start(subject, each)
        if entry is not None:
            day = f"{entry.month}月{entry.day}日"
            caption = f"自{each.start}入场（以{day}为例），未计优惠："
            yield QuickTable(caption, *_fees(subject, entry))


def _fees(subject: Subject, entry: datetime) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """The header and rows of a quick table: a column for each class of vehicles."""
    tariff = subject.tariff
    header, columns = ["停放时间"], []
    for name in tariff.vehicles or [None]:
        table = pricing.fee_table(tariff, LENGTHS_S, entry, vehicle=name, calendar=subject.calendar)
        header.append(_class(tariff, name))
        columns.append([money(minor, tariff.currency)[0] for _, minor in table])
    return header, list(zip((duration(length)[0] for length in LENGTHS_S), *columns, strict=True))


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
