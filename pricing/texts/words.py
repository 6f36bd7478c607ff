"""Words in Chinese and English: sentences, lists, amounts of money and lengths of time."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from pricing.currencies import EXPONENTS
from pricing.document import Described


class Words(NamedTuple):
    """The same words in Chinese and English."""

    zh: str
    en: str

    def filled(self, **values: object) -> "Words":
        """These words with `values` at the names in braces; of Words, those of each language."""
        chinese = {key: one.zh if isinstance(one, Words) else one for key, one in values.items()}
        english = {key: one.en if isinstance(one, Words) else one for key, one in values.items()}
        return Words(self.zh.format_map(chinese), self.en.format_map(english))

    def join(self, parts: Iterable["Words"]) -> "Words":
        """The parts in a row with these words between them, as `str.join`."""
        parts = list(parts)
        return Words(self.zh.join(one.zh for one in parts), self.en.join(one.en for one in parts))


NOTHING: Final = Words("", "")
_SHORT: Final = {"小时": "h", "分钟": "min", "秒": "s"}
_LONG: Final = {"小时": "hour", "分钟": "minute", "秒": "second"}


def name_of(part: Described) -> Words | None:
    """The name that a document gives one of its parts; None where it gives none."""
    return Words(part.name.zh, part.name.en) if part.name else None


def money(minor: int | str, currency: str) -> Words:
    """An amount of smallest units in words: (6.00元, CNY 6.00)."""
    places = EXPONENTS.get(currency, 2)
    amount = Decimal(minor).scaleb(-places)
    shown = f"{amount:.{places}f}" if isinstance(minor, int) else f"{amount:f}"
    english = f"{currency} {shown}"
    return Words(f"{shown}元" if currency == "CNY" else english, english)


def duration(seconds: int) -> Words:
    """A length of time in words: (1小时30分钟, 1 h 30 min)."""
    return Words("", " ").join(
        Words(f"{count}{unit}", f"{count} {_SHORT[unit]}") for count, unit in _parts(seconds)
    )


def spelled(seconds: int) -> Words:
    """A length of time in whole words: (1小时30分钟, 1 hour 30 minutes)."""
    return Words("", " ").join(
        Words(f"{count}{unit}", f"{count} {_LONG[unit]}{'s' if count != 1 else ''}")
        for count, unit in _parts(seconds)
    )


def _parts(seconds: int) -> list[tuple[int, str]]:
    minutes, rest = divmod(seconds, 60)
    parts = [(minutes // 60, "小时"), (minutes % 60, "分钟"), (rest, "秒")]
    return [part for part in parts if part[0]] or [(0, "分钟")]


def started(words: Words) -> Words:
    """A sentence from words: English ones begin with a capital."""
    return Words(words.zh, words.en[:1].upper() + words.en[1:])
