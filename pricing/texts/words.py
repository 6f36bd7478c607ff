"""Amounts of money and lengths of time, in Chinese and English."""

from decimal import Decimal

from pricing.currencies import EXPONENTS

Sentence = tuple[str, str]


def money(minor: int | str, currency: str) -> Sentence:
    """An amount of smallest units in words: (6.00元, CNY 6.00)."""
    places = EXPONENTS.get(currency, 2)
    amount = Decimal(minor).scaleb(-places)
    shown = f"{amount:.{places}f}" if isinstance(minor, int) else f"{amount:f}"
    return (f"{shown}元" if currency == "CNY" else f"{currency} {shown}", f"{currency} {shown}")


def duration(seconds: int) -> Sentence:
    """A length of time in words: (1小时30分钟, 1 h 30 min)."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(hours, "小时", "h"), (minutes, "分钟", "min"), (left, "秒", "s")]
    said = [part for part in parts if part[0]] or [(0, "分钟", "min")]
    return "".join(f"{n}{zh}" for n, zh, _ in said), " ".join(f"{n} {en}" for n, _, en in said)
