"""Finds things by their names, in memory.

A name is compared in four ways, all without case, spaces and marks:

| way | of 五四广场, May Fourth Square | found by, among others |
|---|---|---|
| Chinese | 五四广场 | 五四 |
| English | mayfourthsquare | may fourth, fourth square |
| pinyin | wu si guang chang | wusi, guangchang, wusiguangch |
| initials of the pinyin | w s g c | wsgc, gc |

A question begins where a character, a word or a syllable begins, and may end anywhere.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from parking_api.city.distances import distances_m
from parking_api.places.queries import NamedThing

_WORD: Final = re.compile(r"[^\W_]+")
# A single letter begins too many syllables.
_LEAST_INITIALS: Final = 2
# How well a name fits: all of it, its beginning, its inside; by initials less well than by text.
_ALL, _BEGINNING, _INSIDE, _BY_INITIALS, _NOT = range(5)


@dataclass(frozen=True)
class Found:
    """Something that was found; `distance_m` is None where no point was given."""

    thing: NamedThing
    distance_m: float | None


@dataclass(frozen=True)
class _Key:
    """A text to look in, and where in it a question may begin."""

    text: str
    starts: frozenset[int]

    def fit(self, asked: str) -> int:
        """Return how well a question fits."""
        at = self.text.find(asked)
        while at > 0 and at not in self.starts:
            at = self.text.find(asked, at + 1)
        if at < 0:
            return _NOT
        if at:
            return _INSIDE
        return _ALL if len(asked) == len(self.text) else _BEGINNING


@dataclass(frozen=True)
class _Keys:
    texts: Sequence[_Key]
    initials: _Key

    def fit(self, asked: str) -> int:
        """Return how well a question fits the name in its best way."""
        best = min(key.fit(asked) for key in self.texts)
        if best == _NOT and len(asked) >= _LEAST_INITIALS and self.initials.fit(asked) != _NOT:
            return _BY_INITIALS
        return best


def folded(text: str) -> list[str]:
    """Return the words of a text as they are compared: without case, width and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    return _WORD.findall(bare.replace("'", "").replace("\u2019", ""))


def _key(parts: Sequence[str]) -> _Key:
    starts, at = set(), 0
    for part in parts:
        starts.add(at)
        at += len(part)
    return _Key("".join(parts), frozenset(starts))


# The names of a city come again with each change of it.
@lru_cache(maxsize=50_000)
def _keys(name_zh: str, name_en: str) -> _Keys:
    # Its tables take a quarter of a second, for which the other modules need not wait.
    from pypinyin import lazy_pinyin  # noqa: PLC0415

    characters = list("".join(folded(name_zh)))
    syllables = [each for part in lazy_pinyin("".join(folded(name_zh))) for each in folded(part)]
    texts = [_key(characters), _key(folded(name_en)), _key(syllables)]
    # ü is typed as v, as u, or as itself, whose dots `folded` takes away.
    if any("v" in each for each in syllables):
        texts.append(_key([each.replace("v", "u") for each in syllables]))
    return _Keys(texts, _key([each[0] for each in syllables]))


class Index:
    """Things by their names.

    Args:
        things: In the order in which those that fit alike come.

    Attributes:
        things: Likewise.
    """

    def __init__(self, things: Sequence[NamedThing]) -> None:
        self.things = things
        self._keys = [_keys(thing.name_zh, thing.name_en) for thing in things]
        self._lons = np.array([thing.longitude for thing in things], dtype=np.float64)
        self._lats = np.array([thing.latitude for thing in things], dtype=np.float64)

    def find(self, asked: str, near: tuple[float, float] | None, most: int) -> list[Found]:
        """Find what has such a name.

        Args:
            asked: The name, or a part of it.
            near: Longitude and latitude, WGS 84 degrees: the nearest come first. None for those
                that fit best, the shorter name first.
            most: How many to find.
        """
        text = "".join(folded(asked))
        if not text:
            return []
        fits = [keys.fit(text) for keys in self._keys]
        indices = [index for index, fit in enumerate(fits) if fit != _NOT]
        if near is None:
            indices.sort(key=lambda index: (fits[index], len(self.things[index].name_zh)))
            return [Found(self.things[index], None) for index in indices[:most]]
        if not indices:
            return []
        far_m = distances_m(*near, self._lons[indices], self._lats[indices])
        order = np.argsort(far_m, kind="stable")[:most].tolist()
        return [Found(self.things[indices[place]], float(far_m[place])) for place in order]
