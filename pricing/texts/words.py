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
    minutes, rest = divmod(seconds, 60)
    parts = [(minutes // 60, "小时", "h"), (minutes % 60, "分钟", "min"), (rest, "秒", "s")]
    shown = [part for part in parts if part[0]] or [(0, "分钟", "min")]
    return Words("", " ").join(Words(f"{n}{zh}", f"{n} {en}") for n, zh, en in shown)
