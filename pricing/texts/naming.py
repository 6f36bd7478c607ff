"""What people call the parts of a tariff, in Chinese and English.

A part is called by the name that the document gives it, else by what it says. Its id is for
programs: it stands in members of its own, and in no sentence.
"""

from typing import Final

from pricing.document import Cap, Entitlement, Period, Vehicle
from pricing.fields import exact
from pricing.texts.words import Sentence, duration, money

DAYS: Final[dict[str, Sentence]] = {
    "workday": ("工作日", "workdays"),
    "weekend": ("周末", "weekends"),
    "holiday": ("法定节假日", "public holidays"),
    "mon": ("周一", "Mondays"),
    "tue": ("周二", "Tuesdays"),
    "wed": ("周三", "Wednesdays"),
    "thu": ("周四", "Thursdays"),
    "fri": ("周五", "Fridays"),
    "sat": ("周六", "Saturdays"),
    "sun": ("周日", "Sundays"),
}
VEHICLES: Final[dict[str, Sentence]] = {
    "small": ("小型车", "small vehicles"),
    "medium": ("中型车", "medium vehicles"),
    "large": ("大型车", "large vehicles"),
    "truck": ("货车", "trucks"),
}
WINDOWS: Final[dict[str, Sentence]] = {
    "calendar_day": ("每个自然日", "a calendar day"),
    "rolling_24h": ("每连续24小时", "any 24 hours from the first charge"),
    "session": ("单次停放", "a stay"),
}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def period(given: Period) -> Sentence:
    """A period by its name, else by its season, days and hours: (工作日08:00至20:00, ...)."""
    if given.name:
        return given.name.zh, given.name.en
    zh_season, en_season = "", ""
    if given.season:
        first, last = month_day(given.season.from_), month_day(given.season.to)
        zh_season, en_season = f"{first[0]}至{last[0]}", f"{first[1]} to {last[1]}, "
    zh_days, en_days = ("每日", "daily")
    if given.days != "all":
        zh_days, en_days = listed(list(given.days), DAYS)
    zh_hours, en_hours = hours(given)
    return f"{zh_season}{zh_days}{zh_hours}", f"{en_season}{en_days} {en_hours}"


def hours(given: Period) -> Sentence:
    """The hours of a period: (18:30至次日07:30, 18:30-07:30 of the next day)."""
    if given.start == given.end or (given.start, given.end) == ("00:00", "24:00"):
        if given.start == "00:00":
            return "全天", "00:00-24:00"
        return f"{given.start}起24小时", f"24 hours from {given.start}"
    zh_next, en_next = ("次日", " of the next day") if given.end <= given.start else ("", "")
    return f"{given.start}至{zh_next}{given.end}", f"{given.start}-{given.end}{en_next}"


def month_day(day: str) -> Sentence:
    """A day of the year: (4月20日, 20 April)."""
    month, _, date = day.partition("-")
    return f"{int(month)}月{int(date)}日", f"{int(date)} {_MONTHS[int(month) - 1]}"


def vehicle(key: str | None, given: Vehicle | None) -> Sentence:
    """A class of vehicles by its name, else by the common word for it."""
    if given is not None and given.name:
        return given.name.zh, given.name.en
    return VEHICLES.get(key or "", ("该类车型", "this class of vehicles"))


def entitlement(given: Entitlement) -> Sentence:
    """An entitlement by its name, else by what it lets off."""
    if given.name:
        return given.name.zh, given.name.en
    chinese, english = [], []
    if given.deduct_s:
        zh_length, en_length = duration(given.deduct_s)
        chinese.append(f"减免{zh_length}")
        english.append(f"{en_length} let off")
    if exact(given.percent_off):
        chinese.append(f"减收{given.percent_off}%")
        english.append(f"{given.percent_off} % off")
    return "并".join(chinese) or "无减免", " and ".join(english) or "nothing let off"


def cap(given: Cap, currency: str) -> Sentence:
    """A cap by its name, else by its window and amount."""
    if given.name:
        return given.name.zh, given.name.en
    zh_window, en_window = WINDOWS[given.window]
    zh_amount, en_amount = money(given.amount_minor, currency)
    return f"{zh_window}最高{zh_amount}", f"{en_amount} for {en_window}"


def listed(names: list[str], words: dict[str, Sentence]) -> Sentence:
    """Words in both languages, one after another."""
    pairs = [words.get(name, (name, name)) for name in names]
    return "、".join(zh for zh, _ in pairs), ", ".join(en for _, en in pairs)
