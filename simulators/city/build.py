"""The whole city from a number of lots and a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulators.city.apportion import apportion
from simulators.city.bays import Bays, footprint_m, lay_out_bays
from simulators.city.capacities import (
    BAYS_PER_LOT,
    draw_capacities,
    draw_types,
    levels_of,
    settle_type,
)
from simulators.city.ground import District, load_districts
from simulators.city.land_use import ON_STREET
from simulators.city.lots import BAYS_SHARE, Lot, fit_out
from simulators.city.names import name_lots
from simulators.city.operators import (
    TRY_GATEWAY,
    TRY_OPERATOR,
    Gateway,
    Operator,
    assign_gateways,
    assign_operators,
    load_operators,
)
from simulators.city.siting import (
    ADDRESS_SHARE,
    ON_STREET_SHARE,
    Ground,
    Site,
    Wish,
    site_lot,
    wish_lots,
)

FEWEST_LOTS: Final = 5
MOST_LOTS: Final = 20_000

TRY_LOTS: Final = (
    Lot(
        lot_id="370202-0001",
        operator_id=TRY_OPERATOR,
        gateway_id=TRY_GATEWAY,
        district="370202",
        name_zh="五四广场体验停车场（车位感应）",
        name_en="May Fourth Square Try-out Parking (bay sensors)",
        lot_type="surface",
        land_use="scenic",
        reporting="bays",
        capacity=60,
        levels=1,
        height_limit_m=None,
        hours=None,
        longitude=120.3797,
        latitude=36.0631,
        bearing_rad=0.15,
    ),
    Lot(
        lot_id="370202-0002",
        operator_id=TRY_OPERATOR,
        gateway_id=TRY_GATEWAY,
        district="370202",
        name_zh="五四广场体验停车场（出入口计数）",
        name_en="May Fourth Square Try-out Parking (gate counting)",
        lot_type="underground",
        land_use="scenic",
        reporting="count",
        capacity=120,
        levels=1,
        height_limit_m=2.2,
        hours=None,
        longitude=120.3783,
        latitude=36.0634,
        bearing_rad=0.15,
    ),
)
"""The lots for people to try with: one with bay sensors, one that counts at its gates."""


@dataclass(frozen=True)
class City:
    """All that the files of a city hold."""

    districts: tuple[District, ...]
    operators: tuple[Operator, ...]
    gateways: tuple[Gateway, ...]
    lots: tuple[Lot, ...]
    bays: Bays


def build_city(lot_count: int, seed: int) -> City:
    """Build a city.

    Args:
        lot_count: Lots in all, with the two to try: FEWEST_LOTS..MOST_LOTS.
        seed: The same seed and count give the same city.

    Returns:
        The city: exactly `lot_count` lots with BAYS_PER_LOT bays each on average, the lots in
        the order of their ids.

    Raises:
        ValueError: If `lot_count` is out of range.
    """
    if not FEWEST_LOTS <= lot_count <= MOST_LOTS:
        raise ValueError(f"lots must be {FEWEST_LOTS}..{MOST_LOTS}, not {lot_count}")
    districts = load_districts()
    site_rng, lot_rng, operator_rng = np.random.default_rng(seed).spawn(3)
    wishes = _wish_all(districts, lot_count, site_rng)
    sizes = _size_all(districts, wishes, lot_count, lot_rng)
    sites = _site_all(districts, wishes, sizes, site_rng)
    operator_ids = assign_operators(sites, operator_rng)
    gateway_of, gateways = assign_gateways(operator_ids, sites)
    lots = (*TRY_LOTS, *_complete(sites, sizes, operator_ids, gateway_of, lot_rng))
    lots = tuple(sorted(lots, key=lambda lot: lot.lot_id))
    active = {lot.operator_id for lot in lots}
    return City(
        districts=districts,
        operators=tuple(o for o in load_operators() if o.operator_id in active),
        gateways=(*gateways, Gateway(TRY_GATEWAY, TRY_OPERATOR, simulated=False)),
        lots=lots,
        bays=lay_out_bays(lots),
    )


@dataclass(frozen=True)
class Size:
    """Type, bays and levels of a lot."""

    lot_type: str
    capacity: int
    levels: int


def _wish_all(
    districts: Sequence[District], lot_count: int, rng: np.random.Generator
) -> list[Wish]:
    """Choose what all lots serve, except for the two to try, which have their ground."""
    quotas = apportion(lot_count, [district.lot_share for district in districts])
    home = next(i for i, d in enumerate(districts) if d.adcode == TRY_LOTS[0].district)
    quotas[home] = max(quotas[home] - len(TRY_LOTS), 0)
    # In the smallest cities the lots to try can be more than their district's share.
    quotas[quotas.index(max(quotas))] -= sum(quotas) - (lot_count - len(TRY_LOTS))
    on_street = apportion(round(ON_STREET_SHARE * sum(quotas)), quotas)
    at_address = apportion(round(ADDRESS_SHARE * sum(quotas)), quotas)
    wishes: list[Wish] = []
    for district, quota, address, street in zip(
        districts, quotas, at_address, on_street, strict=True
    ):
        street_lots = min(street, quota)
        address_lots = min(address, quota - street_lots)
        counts = (quota - street_lots - address_lots, address_lots, street_lots)
        wishes += wish_lots(district, counts, rng)
    return wishes


def _size_all(
    districts: Sequence[District],
    wishes: Sequence[Wish],
    lot_count: int,
    rng: np.random.Generator,
) -> list[Size]:
    land_uses = [wish.land_use for wish in wishes]
    drawn = draw_types(land_uses, rng)
    total = lot_count * BAYS_PER_LOT - sum(lot.capacity for lot in TRY_LOTS)
    index = {district.adcode: i for i, district in enumerate(districts)}
    capacities = draw_capacities(
        total,
        [(kind, w.land_use, w.importance) for kind, w in zip(drawn, wishes, strict=True)],
        np.array([index[wish.district] for wish in wishes]),
        np.array([district.people * district.bays_per_1000 for district in districts]),
        rng,
    )
    types = [settle_type(*one) for one in zip(drawn, land_uses, capacities, strict=True)]
    return [
        Size(lot_type, capacity, levels_of(lot_type, capacity))
        for lot_type, capacity in zip(types, capacities, strict=True)
    ]


def _site_all(
    districts: Sequence[District],
    wishes: Sequence[Wish],
    sizes: Sequence[Size],
    rng: np.random.Generator,
) -> list[Site]:
    """Find the ground of all lots: the longest choose first, since room for them is rare."""
    grounds = {district.adcode: Ground(district) for district in districts}
    for lot, extent_m in zip(TRY_LOTS, _extents_m(TRY_LOTS), strict=True):
        grounds[lot.district].take(lot.longitude, lot.latitude, lot.bearing_rad, extent_m)
    extents_m = _extents_m(sizes)
    sites: dict[int, Site] = {}
    for i in sorted(range(len(wishes)), key=lambda i: -max(extents_m[i])):
        sites[i] = site_lot(wishes[i], extents_m[i], grounds[wishes[i].district], rng)
    return [sites[i] for i in range(len(wishes))]


def _extents_m(sizes: Sequence[Size | Lot]) -> list[tuple[float, float]]:
    """Length and depth of the ground that the bays of each lot cover, metres."""
    kerb = np.array([size.lot_type == ON_STREET for size in sizes])
    per_level = np.array([-(-size.capacity // size.levels) for size in sizes])
    length_m, depth_m = footprint_m(kerb, per_level)
    return list(zip(length_m.tolist(), depth_m.tolist(), strict=True))


def _complete(
    sites: Sequence[Site],
    sizes: Sequence[Size],
    operator_ids: Sequence[str],
    gateway_of: Sequence[str],
    rng: np.random.Generator,
) -> list[Lot]:
    names = name_lots(sites, [size.lot_type for size in sizes])
    reporting = _draw_reporting(sites, rng)
    serials = {TRY_LOTS[0].district: len(TRY_LOTS)}
    lots = []
    for i, (site, size) in enumerate(zip(sites, sizes, strict=True)):
        serials[site.district] = serials.get(site.district, 0) + 1
        height_limit_m, hours = fit_out(size.lot_type, site.land_use, rng)
        lots.append(
            Lot(
                lot_id=f"{site.district}-{serials[site.district]:04d}",
                operator_id=operator_ids[i],
                gateway_id=gateway_of[i],
                district=site.district,
                name_zh=names[i][0],
                name_en=names[i][1],
                lot_type=size.lot_type,
                land_use=site.land_use,
                reporting=reporting[i],
                capacity=size.capacity,
                levels=size.levels,
                height_limit_m=height_limit_m,
                hours=hours,
                longitude=site.longitude,
                latitude=site.latitude,
                bearing_rad=site.bearing_rad,
            )
        )
    return lots


def _draw_reporting(sites: Sequence[Site], rng: np.random.Generator) -> list[str]:
    """Draw how the lots without the two to try report, so that the city has its share.

    A kerb has no gate to count at: its bays are sensed.
    """
    tried = sum(lot.reporting == "bays" for lot in TRY_LOTS)
    sensing = round(BAYS_SHARE * (len(sites) + len(TRY_LOTS))) - tried
    kerb = np.array([site.kind == "street" for site in sites])
    others = int((~kerb).sum())
    sensing_others = sensing - int(kerb.sum())
    kinds = np.full(len(sites), "bays", dtype=object)
    drawn = ["bays"] * sensing_others + ["count"] * (others - sensing_others)
    kinds[~kerb] = rng.permutation(drawn)
    return [str(kind) for kind in kinds]
