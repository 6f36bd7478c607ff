"""A slow pricer for comparison: one unit at a time, straight from the clauses, in Fractions.

It shares no code with the package: it reads the plain document, lists windows by brute force, keeps
every unit on its own, and takes caps from the latest unit backwards. All times are whole seconds.
"""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Document = dict[str, Any]
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HOUR_24 = 86_400


class Window(NamedTuple):
    place: int
    day: date
    start: int
    end: int


class Charged(NamedTuple):
    start: int
    window: Window
    price: Fraction


def seconds(at: datetime) -> int:
    return round(at.astimezone(UTC).timestamp())


def local(day: date, clock: str, zone: ZoneInfo) -> int:
    hours, minutes = map(int, clock.split(":"))
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    # Adding to a local time goes by the clock on the wall.
    return seconds(midnight + timedelta(hours=hours, minutes=minutes))


def is_workday(day: date, calendar: Document) -> bool:
    if day.isoformat() in calendar.get("holidays", []):
        return False
    return day.weekday() < 5 or day.isoformat() in calendar.get("makeup_workdays", [])


def day_fits(period: Document, day: date, calendar: Document) -> bool:
    holiday = day.isoformat() in calendar.get("holidays", [])
    workday = is_workday(day, calendar)
    facts = {
        "holiday": holiday,
        "workday": workday,
        "weekend": not holiday and not workday,
        WEEKDAYS[day.weekday()]: True,
    }
    if period["days"] != "all" and not any(facts.get(kind) for kind in period["days"]):
        return False
    if not period.get("season"):
        return True
    first, last, today = period["season"]["from"], period["season"]["to"], f"{day:%m-%d}"
    if first <= last:
        return bool(first <= today <= last)
    return bool(today >= first or today <= last)


class Slow:
    def __init__(self, document: Document, city: Document | None) -> None:
        self.document = document
        self.zone = ZoneInfo(document["timezone"])
        self.calendar = document.get("calendar") or city or {}

    def windows(self, start: int, end: int) -> list[Window]:
        day = datetime.fromtimestamp(start, self.zone).date() - timedelta(days=3)
        last = datetime.fromtimestamp(end, self.zone).date() + timedelta(days=2)
        found = []
        while day <= last:
            for index, period in enumerate(self.document["periods"]):
                if day_fits(period, day, self.calendar):
                    over = period["end"] <= period["start"]
                    end_day = day + timedelta(days=1) if over else day
                    opens = local(day, period["start"], self.zone)
                    closes = local(end_day, period["end"], self.zone)
                    found.append(Window(index, day, opens, closes))
            day += timedelta(days=1)
        return sorted(found)

    def fee(
        self,
        entry: datetime,
        leave: datetime,
        vehicle: str | None,
        granted: tuple[str, ...],
        versions: list[tuple[datetime, Document]],
    ) -> int:
        start, end = seconds(entry), seconds(leave)
        if start == end:
            return 0
        windows = self.windows(start, end)
        held = [e for e in self.document.get("entitlements", []) if e["id"] in granted]
        grace = self.grace(held, granted)
        if grace["mode"] == "threshold":
            whole = end - start
            if grace["basis"] == "chargeable":
                whole = self.chargeable_s(windows, start, end)
            if whole <= grace["seconds"]:
                return 0
        deduct = sum(e.get("deduct_s", 0) for e in held)
        deduct += grace["seconds"] if grace["mode"] == "deduct" else 0
        tail_from = end - grace["seconds"] if grace["mode"] == "tail" else end
        at = self.after(windows, start, end, deduct)
        charged = self.charged(
            windows, at, end, tail_from=tail_from, vehicle=vehicle, entry=start, versions=versions
        )
        return self.total(charged, vehicle, held)

    def grace(self, held: list[Document], granted: tuple[str, ...]) -> Document:
        grace: Document = self.document["grace"]
        none = {"mode": "none"}
        if grace.get("first_stay_of_day") and "first_stay" not in granted:
            return none
        return grace if all(e.get("combinable_with_grace", True) for e in held) else none

    def ruling(self, windows: list[Window], at: int) -> Window | None:
        covering = [w for w in windows if w.start <= at < w.end]
        return min(covering, key=lambda w: (w.place, w.start)) if covering else None

    def chargeable(self, window: Window | None) -> bool:
        return window is not None and self.document["periods"][window.place]["charge"] != "free"

    def chargeable_s(self, windows: list[Window], at: int, end: int) -> int:
        total = 0
        while at < end:
            until = self.change(windows, at, end)
            total += until - at if self.chargeable(self.ruling(windows, at)) else 0
            at = until
        return total

    def change(self, windows: list[Window], at: int, end: int) -> int:
        """The next instant at which another window governs."""
        now = self.ruling(windows, at)
        edges = sorted({edge for w in windows for edge in (w.start, w.end) if at < edge < end})
        return next((edge for edge in edges if self.ruling(windows, edge) != now), end)

    def after(self, windows: list[Window], at: int, end: int, deduct: int) -> int:
        while at < end and deduct:
            until = self.change(windows, at, end)
            if self.chargeable(self.ruling(windows, at)):
                taken = min(until - at, deduct)
                deduct -= taken
                at += taken
            else:
                at = until
        return at

    def price(
        self,
        window: Window,
        clock: int,
        at: int,
        *,
        vehicle: str | None,
        entry: int,
        versions: list[tuple[datetime, Document]],
    ) -> Fraction:
        period = self.document["periods"][window.place]
        if self.document["version_policy"] == "at_unit_start":
            past = [(seconds(w), v) for w, v in versions if entry < seconds(w) <= at]
            if past:
                newest = max(past, key=lambda pair: pair[0])[1]
                for other in newest["periods"]:
                    if other["id"] == period["id"] and other["charge"] == period["charge"]:
                        period = other
        held = (self.document.get("vehicles") or {}).get(vehicle, {})
        multiplier = Fraction(str(held.get("multiplier", 1)))
        if period["charge"] == "flat":
            return Fraction(period["price_minor"]) * multiplier
        price = [t["price_minor"] for t in period["tiers"] if t["from_s"] <= clock][-1]
        return Fraction(price) * multiplier + Fraction(held.get("add_minor_per_unit", 0))

    def charged(
        self,
        windows: list[Window],
        at: int,
        end: int,
        *,
        tail_from: int,
        vehicle: str | None,
        entry: int,
        versions: list[tuple[datetime, Document]],
    ) -> list[Charged]:
        found: list[Charged] = []
        clocks: dict[object, int] = {}
        while at < end:
            window = self.ruling(windows, at)
            until = self.change(windows, at, end)
            if window is None or not self.chargeable(window):
                at = until
                continue
            period = self.document["periods"][window.place]
            if period["charge"] == "flat":
                if all(each.window != window for each in found):
                    price = self.price(
                        window, 0, at, vehicle=vehicle, entry=entry, versions=versions
                    )
                    found.append(Charged(at, window, price))
                at = until
                continue
            if at >= tail_from:
                at = until
                continue
            clock_key: object = window if self.document["tier_clock"] == "window" else "session"
            clock = clocks.get(clock_key, 0)
            stop = at + period["unit_s"]
            limit = until if self.document["boundary"] == "split" else end
            if stop > limit and period["rounding"] == "down":
                at = limit
                continue
            price = self.price(window, clock, at, vehicle=vehicle, entry=entry, versions=versions)
            found.append(Charged(at, window, price))
            stop = min(stop, limit)
            clocks[clock_key] = clock + stop - at
            at = stop
        return found

    def total(self, charged: list[Charged], vehicle: str | None, held: list[Document]) -> int:
        amounts = [each.price for each in charged]
        held_vehicle = (self.document.get("vehicles") or {}).get(vehicle, {})
        scale = Fraction(str(held_vehicle.get("cap_multiplier", 1)))
        for window in {each.window for each in charged}:
            cap = self.document["periods"][window.place].get("cap_minor")
            if cap is not None:
                self.take(amounts, [each.window == window for each in charged], cap * scale)
        for cap in self.document.get("caps", []):
            groups = [self.group(cap["window"], each, charged[0].start) for each in charged]
            for group in set(groups):
                inside = [each == group for each in groups]
                self.take(amounts, inside, cap["amount_minor"] * scale)
        whole = sum(amounts, Fraction(0))
        for each in held:
            whole *= 1 - Fraction(str(each.get("percent_off", 0))) / 100
        return (2 * whole.numerator + whole.denominator) // (2 * whole.denominator)

    def group(self, window: str, each: Charged, first: int) -> object:
        blocks: dict[str, object] = {
            "calendar_day": each.window.day,
            "rolling_24h": (each.start - first) // HOUR_24,
            "session": None,
        }
        return blocks[window]

    def take(self, amounts: list[Fraction], inside: list[bool], cap: Fraction) -> None:
        places = [place for place, member in enumerate(inside) if member]
        excess = sum((amounts[place] for place in places), Fraction(0)) - cap
        for place in reversed(places):
            if excess <= 0:
                return
            taken = min(amounts[place], excess)
            amounts[place] -= taken
            excess -= taken
