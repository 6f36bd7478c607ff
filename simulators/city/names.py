"""The names of the lots, in Chinese and English."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from simulators.city.geodesy import between
from simulators.city.land_use import MULTI_STOREY, SURFACE, UNDERGROUND
from simulators.city.siting import Site

Name = tuple[str, str]

KINDS: Final[dict[str, Name]] = {
    SURFACE: ("停车场", "Parking"),
    UNDERGROUND: ("地下停车场", "Underground Parking"),
    MULTI_STOREY: ("停车楼", "Parking Garage"),
}
SIDES: Final[tuple[Name, ...]] = (
    ("东", "East"),
    ("东北", "Northeast"),
    ("北", "North"),
    ("西北", "Northwest"),
    ("西", "West"),
    ("西南", "Southwest"),
    ("南", "South"),
    ("东南", "Southeast"),
)
"""Sides of a place, anticlockwise from east."""
AT_THE_PLACE_M: Final = 70.0
"""A lot closer than this to its place needs no side in its name."""
HOUSE_M: Final = 10.0
"""Metres of street for one house number on each side."""


def name_lots(sites: Sequence[Site], lot_types: Sequence[str]) -> list[Name]:
    """Name every lot; no two lots of the city have the same name.

    Args:
        sites: The lots' ground.
        lot_types: Their types, in the same order.

    Returns:
        Chinese and English name of each lot.
    """
    names: list[Name] = [("", "")] * len(sites)
    for kind, namer in (("place", _at_places), ("address", _at_addresses), ("street", _on_streets)):
        chosen = [i for i, site in enumerate(sites) if site.kind == kind]
        named = namer([sites[i] for i in chosen], [lot_types[i] for i in chosen])
        for i, name in zip(chosen, named, strict=True):
            names[i] = name
    return names


def _at_places(sites: Sequence[Site], lot_types: Sequence[str]) -> list[Name]:
    stems = [(*_stem(site), *KINDS[kind]) for site, kind in zip(sites, lot_types, strict=True)]
    times, seen = Counter(stems), Counter[tuple[str, str, str, str]]()
    names = []
    for stem in stems:
        stem_zh, stem_en, kind_zh, kind_en = stem
        if times[stem] == 1:
            names.append((f"{stem_zh}{kind_zh}", f"{stem_en} {kind_en}"))
        else:
            seen[stem] += 1
            names.append((f"{stem_zh}{seen[stem]}号{kind_zh}", f"{stem_en} {kind_en} {seen[stem]}"))
    return names


def _stem(site: Site) -> Name:
    if site.place is None:
        raise ValueError("a site of kind 'place' has a place")
    east_m, north_m = between(
        site.place.longitude,
        site.place.latitude,
        np.asarray(site.longitude),
        np.asarray(site.latitude),
    )
    if np.hypot(east_m, north_m) < AT_THE_PLACE_M:
        return site.place.name_zh, site.place.name_en
    side = SIDES[round(float(np.arctan2(north_m, east_m)) / (np.pi / 4)) % len(SIDES)]
    gap = "区" if site.place.name_zh.endswith(tuple("东西南北")) else ""
    return f"{site.place.name_zh}{gap}{side[0]}", f"{site.place.name_en} {side[1]}"


def _at_addresses(sites: Sequence[Site], lot_types: Sequence[str]) -> list[Name]:
    used: set[tuple[str, int]] = set()
    names = []
    for site, lot_type in zip(sites, lot_types, strict=True):
        street_zh, street_en = _street(site)
        # Odd numbers stand on the left-hand side, even ones on the right.
        house = 2 * int(site.along_m / HOUSE_M) + (1 if site.left else 2)
        while (street_zh, house) in used:
            house += 2
        used.add((street_zh, house))
        kind_zh, kind_en = KINDS[lot_type]
        names.append((f"{street_zh}{house}号{kind_zh}", f"{house} {street_en} {kind_en}"))
    return names


def _on_streets(sites: Sequence[Site], _: Sequence[str]) -> list[Name]:
    sections: defaultdict[Name, list[int]] = defaultdict(list)
    for i, site in enumerate(sites):
        sections[_street(site)].append(i)
    names: list[Name] = [("", "")] * len(sites)
    for (street_zh, street_en), members in sections.items():
        ordered = sorted(members, key=lambda i: sites[i].along_m)
        for number, i in enumerate(ordered, start=1):
            names[i] = f"{street_zh}路侧停车位", f"{street_en} Street Parking"
            if len(ordered) > 1:
                names[i] = f"{names[i][0]}第{number}段", f"{names[i][1]}, Section {number}"
    return names


def _street(site: Site) -> Name:
    if site.street is None:
        raise ValueError(f"a site of kind {site.kind!r} has a street")
    return site.street.name_zh, site.street.name_en
