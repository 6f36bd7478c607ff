"""What holds for every tariff and stay."""

from datetime import UTC, timedelta
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from pricing import Calendar, Quote, Stay, pricer, quote, read_tariff
from tests.pricing.charging import chance
from tests.pricing.charging.chance import Document

TEN_DAYS_S = 10 * 86_400
PLAIN_TIME = {"free", "gap", "grace", "deducted", "tail", "dropped", "paid"}

sources = st.randoms(use_true_random=False, note_method_calls=False)
bounded = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def drawn(source: Random) -> tuple[Document, Calendar, Stay]:
    document = chance.tariff(source)
    entry, leave, vehicle, granted = chance.stay(source, TEN_DAYS_S)
    calendar = Calendar.model_validate(chance.calendar(source))
    return document, calendar, Stay(entry, leave, vehicle, granted)


@bounded
@given(sources)
def test_lines_cover_the_stay_without_gap_or_overlap_and_add_up(source: Random) -> None:
    document, calendar, stay = drawn(source)
    found = quote(read_tariff(document), stay, calendar=calendar)
    assert sum(line.amount_minor for line in found.lines) == found.total_minor
    assert pricer(read_tariff(document), calendar).fee(stay) == found.total_minor
    timed = [line for line in found.lines if line.kind not in {"percentage", "rounding"}]
    # In UTC: Python calls an instant of a repeated hour unequal to itself in another zone.
    at, leave = stay.entry.astimezone(UTC), stay.exit.astimezone(UTC)
    for line in timed:
        assert line.start == at
        assert line.start < line.end
        at = line.end
    assert at == leave
    assert all(line.start == line.end == leave for line in found.lines[len(timed) :])
    assert all(not line.amount_minor for line in timed if line.kind in PLAIN_TIME)
    assert all(line.text["zh"] and line.text["en"] for line in found.lines)


@bounded
@given(sources)
def test_exact_amounts_explain_the_total(source: Random) -> None:
    document, calendar, stay = drawn(source)
    found = quote(read_tariff(document), stay, calendar=calendar)
    exact = [
        Fraction(line.exact_minor or line.amount_minor)
        for line in found.lines
        if line.kind != "rounding"
    ]
    assert abs(sum(exact, Fraction(0)) - found.total_minor) <= Fraction(1, 2)
    assert any(line.kind == "rounding" for line in found.lines) == (
        sum(exact, Fraction(0)).denominator != 1
    )


def always_up(document: Document) -> Document:
    """The same tariff with every rounding up and no tail."""
    periods = [
        each | {"rounding": "up"} if "rounding" in each else each for each in document["periods"]
    ]
    grace = document["grace"] if document["grace"]["mode"] != "tail" else {"mode": "none"}
    return document | {"periods": periods, "grace": grace}


@bounded
@given(sources, st.integers(1, 100_000))
def test_a_longer_stay_never_costs_less(source: Random, more_s: int) -> None:
    document, calendar, stay = drawn(source)
    tariff = read_tariff(always_up(document))
    longer = Stay(stay.entry, stay.exit + timedelta(seconds=more_s), stay.vehicle, stay.granted)
    short, long = (quote(tariff, each, calendar=calendar) for each in (stay, longer))
    assert short.total_minor <= long.total_minor


def by_window(found: Quote) -> dict[tuple[str | None, int], int]:
    sums: dict[tuple[str | None, int], int] = {}
    for line in found.lines:
        key = (line.period_id, line.day)
        sums[key] = sums.get(key, 0) + line.amount_minor
    return sums


@bounded
@given(sources)
def test_caps_hold(source: Random) -> None:
    document, calendar, stay = drawn(source)
    document.pop("vehicles", None)
    found = quote(read_tariff(document), stay, calendar=calendar)
    caps = {each["id"]: each.get("cap_minor") for each in document["periods"]}
    for (name, _), charged in by_window(found).items():
        cap = caps.get(name or "")
        assert cap is None or charged <= cap
    days: dict[int, int] = {}
    for line in found.lines:
        if line.day:
            days[line.day] = days.get(line.day, 0) + line.amount_minor
    for cap in document["caps"]:
        if cap["window"] == "calendar_day":
            assert all(charged <= cap["amount_minor"] for charged in days.values())
        elif cap["window"] == "session":
            assert found.total_minor <= cap["amount_minor"]


@bounded
@given(sources, st.integers(0, 9000))
def test_rolling_caps_hold_for_every_class(source: Random, amount: int) -> None:
    document, calendar, stay = drawn(source)
    document["caps"] = [{"window": "rolling_24h", "amount_minor": amount}]
    found = quote(read_tariff(document), stay, calendar=calendar)
    vehicles = document.get("vehicles") or {}
    scale = Fraction(str(vehicles.get(stay.vehicle, {}).get("cap_multiplier", 1)))
    charged = [line for line in found.lines if line.kind in {"unit", "flat"}]
    blocks: dict[int, Fraction] = {}
    for line in charged:
        block = (line.start - charged[0].start) // timedelta(days=1)
        exact = Fraction(line.exact_minor or line.amount_minor)
        blocks[block] = blocks.get(block, Fraction(0)) + exact
    assert all(total <= amount * scale for total in blocks.values())


@bounded
@given(sources)
def test_the_zone_in_which_an_instant_is_written_changes_nothing(source: Random) -> None:
    document, calendar, stay = drawn(source)
    tariff = read_tariff(document)
    same = Stay(stay.entry.astimezone(stay.exit.tzinfo), stay.exit, stay.vehicle, stay.granted)
    assert quote(tariff, stay, calendar=calendar) == quote(tariff, same, calendar=calendar)
