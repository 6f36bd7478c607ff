"""The notice of a tariff version: what it is made of, and its text."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pricing
from parking_api.notices import queries
from parking_api.notices.models import (
    Language,
    Notice,
    QuickTable,
    Section,
    SectionKind,
    Subject,
)
from parking_api.price_controls import service as price_controls
from parking_api.tariffs import service as tariffs
from parking_api.tariffs.key import Key
from pricing import Period
from pricing.texts import Words, clauses, duration, money, naming, started
from sql.engine import Db

_NUMBERS: Final = "一二三四五六七八九十"
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
    places = await queries.places(db, version.applies_to.zones, version.applies_to.lots)
    # Of a draft nobody knows yet when it comes into force: as if now.
    start = version.effective_from or now
    references = await price_controls.applying(db, version.applies_to, start, version.effective_to)
    return Subject(
        version=version,
        tariff=version.tariff,
        places=[Words(each.name_zh, each.name_en) for each in places],
        references=list(dict.fromkeys(Words(**dict(each.legal_reference)) for each in references)),
        effective_from=start,
        calendar=calendar,
    )


def compose(subject: Subject, language: Language = "zh") -> Notice:
    """Compose the notice of a version. It depends on the version alone, not on today."""
    tariff, version = subject.tariff, subject.version
    title = Words(
        f"关于{tariff.name.zh}停放服务收费标准的公告",
        f"Public Notice on Parking Charges: {tariff.name.en}",
    )
    identity = Words(
        f"收费标准编号：{tariff.id}，第{version.version}版。内容校验（SHA-256）：{version.hash}。",
        f"Tariff {tariff.id}, version {version.version}. Content hash (SHA-256): {version.hash}.",
    )
    office, issued_on = version.issuing_office, version.issued_on
    signature = [Words(office.zh, office.en)] if office else []
    signature += [_day(issued_on)] if issued_on else []
    return Notice(
        title=_in(language, title),
        sections=list(_sections(subject, language)),
        identity=_in(language, identity),
        number=version.document_number,
        signature=[_in(language, each) for each in signature],
        language=language,
    )


def _in(language: Language, words: Words) -> str:
    return words.zh if language == "zh" else words.en


def _sections(subject: Subject, language: Language) -> Iterator[Section]:
    tariff = subject.tariff
    vehicles = (tariff.vehicles or {}).items()
    periods = [clauses.period(tariff, each) for each in tariff.periods]
    parts: list[tuple[SectionKind, Words, Sequence[Words]]] = [
        ("scope", Words("适用范围", "Scope"), [_scope(subject)]),
        ("rates", Words("收费标准", "Rates"), periods),
        ("caps", Words("最高收费", "Maximum charges"), list(clauses.caps(tariff))),
        (
            "free",
            Words("免费停放", "Free parking"),
            [each for each in [clauses.grace(tariff)] if each],
        ),
        (
            "vehicles",
            Words("车型", "Vehicles"),
            [clauses.vehicle(tariff, *each) for each in vehicles],
        ),
        (
            "concessions",
            Words("优惠", "Concessions"),
            [clauses.entitlement(each) for each in tariff.entitlements],
        ),
        ("rules", Words("计费规则", "How charges are counted"), clauses.rules(tariff)),
        ("basis", Words("收费依据", "Legal basis"), subject.references),
        ("effect", Words("执行时间", "Time of effect"), [_times(subject)]),
    ]
    said = [part for part in parts if part[2]]
    for number, (kind, heading, sentences) in enumerate(said):
        yield Section(
            kind,
            _in(language, _numbered(number, heading)),
            [_in(language, each) for each in sentences],
            numbered=kind == "rates" or len(sentences) > 1,
        )
    last = _numbered(len(said), Words("停车费速算表", "Quick table of charges"))
    yield Section(
        "quick_tables", _in(language, last), tables=list(_quick_tables(subject, language))
    )


def _numbered(number: int, heading: Words) -> Words:
    return Words(f"{_NUMBERS[number]}、{heading.zh}", f"{number + 1}. {heading.en}")


def _scope(subject: Subject) -> Words:
    places = Words("、", "; ").join(subject.places)
    lot_types = subject.version.applies_to.lot_types
    if not lot_types:
        return Words("本标准适用于：{places}。", "These rates apply to: {places}.").filled(
            places=places
        )
    return Words(
        "本标准适用于下列区域的{types}：{places}。",
        "These rates apply to {types} in these zones: {places}.",
    ).filled(types=clauses.lot_types(lot_types), places=places)


def _times(subject: Subject) -> Words:
    zone = ZoneInfo(subject.tariff.timezone)
    if subject.version.state == "withdrawn":
        return Words(
            "本标准已撤回，不再执行。", "These rates have been withdrawn, and no longer apply."
        )
    start, end = subject.effective_from, subject.version.effective_to
    if end is None:
        return Words("本标准自{start}起执行。", "These rates apply from {start}.").filled(
            start=_moment(start, zone)
        )
    return Words(
        "本标准自{start}起执行，至{end}止。", "These rates apply from {start} until {end}."
    ).filled(start=_moment(start, zone), end=_moment(end, zone))


def _day(day: date) -> Words:
    return Words("{year}年{day}", "{day} {year}").filled(
        year=day.year, day=naming.month_day(f"{day:%m-%d}")
    )


def _moment(at: datetime, zone: ZoneInfo) -> Words:
    local = at.astimezone(zone)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return _day(local)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return Words("{day}{clock}", "{clock} on {day}").filled(day=_day(local), clock=clock)


def _quick_tables(subject: Subject, language: Language) -> Iterator[QuickTable]:
    """For each charging period a table: fee by length of stay, from its start on."""
    for each in subject.tariff.periods:
        entry = None if each.charge == "free" else _first_start(subject, each)
        if entry is not None:
            caption = Words(
                "自{start}入场（以{day}为例），未计优惠：",
                "Entry at {start} (here on {day}), before concessions:",
            ).filled(start=each.start, day=naming.month_day(f"{entry:%m-%d}"))
            yield QuickTable(_in(language, caption), *_fees(subject, entry, language))


def _fees(
    subject: Subject, entry: datetime, language: Language
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """The header and rows of a quick table: a column for each class of vehicles."""
    tariff = subject.tariff
    header = [Words("停放时间", "Length of stay")]
    columns = [[duration(length) for length in LENGTHS_S]]
    for name in tariff.vehicles or [None]:
        table = pricing.fee_table(tariff, LENGTHS_S, entry, vehicle=name, calendar=subject.calendar)
        header.append(_class(tariff, name))
        columns.append([money(minor, tariff.currency) for _, minor in table])
    rows = zip(*columns, strict=True)
    return (
        [_in(language, each) for each in header],
        [[_in(language, cell) for cell in row] for row in rows],
    )


def _class(tariff: pricing.Tariff, name: str | None) -> Words:
    if tariff.vehicles is None or name is None:
        return Words("停车费", "Charge")
    return started(naming.vehicle(name, tariff.vehicles[name]))


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
