"""What people call the parts of a tariff, in Chinese and English.

A part is called by the name that the document gives it, else by what it says. Its id is for
programs: it stands in fields of its own, and in no sentence.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from pricing.document import Cap, Entitlement, Period, Vehicle
from pricing.fields import exact
from pricing.texts.words import NOTHING, Words, duration, money, name_of

DAYS: Final = {
    "workday": Words("工作日", "workdays"),
    "weekend": Words("周末", "weekends"),
    "holiday": Words("法定节假日", "public holidays"),
    "mon": Words("周一", "Mondays"),
    "tue": Words("周二", "Tuesdays"),
    "wed": Words("周三", "Wednesdays"),
    "thu": Words("周四", "Thursdays"),
    "fri": Words("周五", "Fridays"),
    "sat": Words("周六", "Saturdays"),
    "sun": Words("周日", "Sundays"),
}
VEHICLES: Final = {
    "small": Words("小型车", "small vehicles"),
    "medium": Words("中型车", "medium vehicles"),
    "large": Words("大型车", "large vehicles"),
    "truck": Words("货车", "trucks"),
}
WINDOWS: Final = {
    "calendar_day": Words("每个自然日", "a calendar day"),
    "rolling_24h": Words("每连续24小时", "any 24 hours from the first charge"),
    "session": Words("单次停放", "a stay"),
}
LOT_TYPES: Final = {
    "on_street": Words("道路泊位", "on-street berths"),
    "surface": Words("地面停车场", "surface lots"),
    "underground": Words("地下停车库", "underground garages"),
    "multi_storey": Words("停车楼", "multi-storey garages"),
}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def period(given: Period) -> Words:
    """A period by its name, else by its season, days and hours: (工作日08:00至20:00, ...)."""
    season = NOTHING
    if given.season:
        first, last = month_day(given.season.from_), month_day(given.season.to)
        season = Words("{first}至{last}", "{first} to {last}, ").filled(first=first, last=last)
    return name_of(given) or Words("{season}{days}{hours}", "{season}{days} {hours}").filled(
        season=season, days=days(given), hours=hours(given)
    )


def days(given: Period) -> Words:
    """The kinds of day on which a period starts: (周末、法定节假日, weekends, public holidays)."""
    return Words("每日", "daily") if given.days == "all" else listed(given.days, DAYS)


def hours(given: Period) -> Words:
    """The hours of a period: (18:30至次日07:30, 18:30-07:30 of the next day)."""
    start, end = given.start, given.end
    if start == "00:00" and end in ("00:00", "24:00"):
        return Words("全天", "00:00-24:00")
    if start == end:
        return Words(f"{start}起24小时", f"24 hours from {start}")
    if end < start:
        return Words(f"{start}至次日{end}", f"{start}-{end} of the next day")
    return Words(f"{start}至{end}", f"{start}-{end}")


def month_day(day: str) -> Words:
    """A day of the year, `MM-DD`: (4月20日, 20 April)."""
    month, date = int(day[:2]), int(day[3:])
    return Words(f"{month}月{date}日", f"{date} {_MONTHS[month - 1]}")


def vehicle(key: str | None, given: Vehicle) -> Words:
    """A class of vehicles by its name, else by the common word for it."""
    return name_of(given) or VEHICLES.get(key or "", Words("该类车型", "this class of vehicles"))


def entitlement(given: Entitlement) -> Words:
    """An entitlement by its name, else by what it lets off."""
    found = []
    if given.deduct_s:
        found.append(
            Words("减免{length}", "{length} let off").filled(length=duration(given.deduct_s))
        )
    if exact(given.percent_off):
        found.append(Words(f"减收{given.percent_off}%", f"{given.percent_off} % off"))
    let_off = Words("并", " and ").join(found) if found else Words("无减免", "nothing let off")
    return name_of(given) or let_off


def cap(given: Cap, currency: str) -> Words:
    """A cap by its name, else by its window and amount."""
    return name_of(given) or Words("{window}最高{amount}", "{amount} for {window}").filled(
        window=WINDOWS[given.window], amount=money(given.amount_minor, currency)
    )


def listed(names: Iterable[str], words: Mapping[str, Words]) -> Words:
    """The words for these names, one after another; a name that has none stands as it is."""
    return Words("、", ", ").join(words.get(name, Words(name, name)) for name in names)
