"""The published tariffs in memory: which version prices a lot at a time, and what a stay costs.

All versions ever published are here, so that a stay of last year costs what it cost then.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import pricing
from parking_api.errors import LotRetiredError, LotUnknownError
from parking_api.models import Json
from parking_api.quotes import queries
from parking_api.quotes.effects import Effect, Suspension, Version, in_force
from parking_api.quotes.errors import (
    LotWithoutTariffError,
    TariffSuspendedError,
    VersionNotInForceError,
)
from parking_api.quotes.models import Stay, Year
from parking_api.quotes.queries import StoredEffect, StoredSuspension, StoredVersion
from pricing import DAY_KINDS
from sql.engine import Transaction

# Few enough that reading them holds the loop up for a millisecond.
_LOTS_A_PAGE: Final = 500
# Answers share their stay: a few tariffs price a whole minute's answers, and a page of 1,000 lots.
MOST_GLANCES: Final = 4096
# What most people drive (小型车), as tariffs call it that tell classes apart.
ORDINARY: Final = "small"
# Why an answer has no quote.
SUSPENDED: Final = "suspended"
_Glance = tuple[str, int, Stay, tuple[tuple[datetime, int], ...]]


@dataclass(frozen=True)
class Situation:
    """The type and the zones of a lot, by which its price is looked up.

    Attributes:
        lot_type: Its type.
        zones: (zone_id, valid_from, valid_to) of each zone that ever contains it, newest first.
        retired_at: Since when nobody can come in any more; None for a lot that is not retired.
    """

    lot_type: str
    zones: tuple[tuple[str, datetime, datetime | None], ...]
    retired_at: datetime | None = None

    def zone_at(self, at: datetime) -> str | None:
        """The zone that contains the lot at `at`."""
        for zone_id, valid_from, valid_to in self.zones:
            if valid_from <= at and (valid_to is None or at < valid_to):
                return zone_id
        return None


class Prices:
    """The city's versions, their effects, its lots with their zones, and its calendar.

    Attributes:
        calendar: The city's.
        generation: Rises with each reading.
    """

    def __init__(self) -> None:
        self.calendar = pricing.Calendar()
        self._years: frozenset[int] = frozenset()
        self._versions: dict[tuple[str, int], Version] = {}
        self._effects: Mapping[tuple[str, ...], list[Effect]] = {}
        self._lots: Mapping[str, Situation] = {}
        self._glances: dict[_Glance, Json | None] = {}
        self.generation = 0

    @property
    def known(self) -> Collection[tuple[str, int]]:
        """The versions that are here, by tariff_id and number."""
        return self._versions.keys()

    def load(
        self,
        versions: Iterable[StoredVersion],
        effects: Iterable[StoredEffect],
        suspensions: Iterable[StoredSuspension],
        lots: Mapping[str, Situation],
        calendar: Iterable[Year],
    ) -> None:
        """Replace all content, but for the versions that are known and still price something.

        Args:
            versions: Those that are not known.
            effects: What they price, and when.
            suspensions: The windows in which versions are suspended, of each version in order.
            lots: All lots, by lot_id.
            calendar: The city's, all years.
        """
        read = {(row.tariff_id, row.version): _version(row) for row in versions}
        known = self._versions | read
        self._versions = {}
        by_target = defaultdict(list)
        windows = defaultdict[tuple[str, int], list[Suspension]](list)
        for each in suspensions:
            window = Suspension(each.starts_at, each.ends_at, each.reason)
            windows[each.tariff_id, each.version].append(window)
        for row in effects:
            key = (row.tariff_id, row.version)
            version = self._versions[key] = known[key]
            effect = Effect(
                row.starts_at, row.ends_at, row.planned_to, version, tuple(windows[key])
            )
            by_target[row.target].append(effect)
        self._effects = dict(by_target)
        self._lots = lots
        years = list(calendar)
        self._years = frozenset(row.year for row in years)
        calendar_now = calendar_of(years)
        # The same object while it says the same: what the pricer derived is kept with it.
        self.calendar = self.calendar if calendar_now == self.calendar else calendar_now
        self._glances = {}
        self.generation += 1

    def effect_at(self, lot_id: str, at: datetime) -> Effect | None:
        """Return what prices a lot at `at`: its own tariff, else that of its zone and type.

        It may be suspended then: see `Effect.suspension_at`.

        Raises:
            LotUnknownError: There is no such lot.
        """
        situation = self._lots.get(lot_id)
        if situation is None:
            raise LotUnknownError
        own = in_force(self._effects.get((lot_id,)), at)
        if own:
            return own
        zone_id = situation.zone_at(at)
        if zone_id is None:
            return None
        return in_force(self._effects.get((zone_id, situation.lot_type)), at)

    def version_for(self, lot_id: str, entry: datetime, pinned: int | None) -> Version:
        """Return the version that prices a stay.

        Args:
            lot_id: Where.
            entry: From when on.
            pinned: The version's number, if the asker names one: it must be the one in force.

        Raises:
            LotUnknownError: There is no such lot.
            LotRetiredError: It is retired by then; stays that began before keep their price.
            LotWithoutTariffError: Nothing prices it at `entry`.
            TariffSuspendedError: What does is suspended then.
            VersionNotInForceError: Another version than `pinned` does.
        """
        effect = self.effect_at(lot_id, entry)
        retired_at = self._lots[lot_id].retired_at
        if retired_at and retired_at <= entry:
            raise LotRetiredError
        if effect is None:
            raise LotWithoutTariffError(
                f"No tariff is in force for {lot_id} at {entry.isoformat()}.", "lot_id"
            )
        version = effect.version
        if window := effect.suspension_at(entry):
            raise TariffSuspendedError(
                f"Version {version.version} of {version.tariff_id} is suspended at "
                f"{entry.isoformat()}: {window.reason}",
                "entry",
            )
        if pinned is not None and pinned != version.version:
            raise VersionNotInForceError(
                f"Version {pinned} of {version.tariff_id} is not in force for {lot_id} at "
                f"{entry.isoformat()}; version {version.version} is.",
                "version",
            )
        return version

    def is_provisional(self, tariff: pricing.Tariff, entry: datetime, exit_: datetime) -> bool:
        """Return whether holidays that are not published yet may change the price of a stay."""
        kinds = {kind for period in tariff.periods if period.days != "all" for kind in period.days}
        if tariff.calendar is not None or kinds.isdisjoint(DAY_KINDS):
            return False
        zone = ZoneInfo(tariff.timezone)
        # A window of the day before may reach into the stay.
        first = entry.astimezone(zone).date() - timedelta(days=1)
        last = exit_.astimezone(zone).date()
        return not self._years.issuperset(range(first.year, last.year + 1))

    def tariff_of_zones(
        self, zone_ids: Iterable[str], lot_type: str, at: datetime
    ) -> pricing.Tariff | None:
        """Find what prices lots of a type in the first of some zones that has a tariff for them."""
        for zone_id in zone_ids:
            effect = in_force(self._effects.get((zone_id, lot_type)), at)
            if effect:
                return effect.version.tariff
        return None

    def successors(self, lot_id: str, entry: datetime, exit_: datetime) -> list[pricing.Version]:
        """Return the versions that take over at a lot during a stay."""
        situation = self._lots[lot_id]
        targets = [(lot_id,), *((zone, situation.lot_type) for zone, _, _ in situation.zones)]
        starts = {
            at
            for target in targets
            for effect in self._effects.get(target, ())
            for at in effect.turns()
            if entry < at < exit_
        }
        found = [(at, self.effect_at(lot_id, at)) for at in sorted(starts)]
        return [pricing.Version(at, effect.version.tariff) for at, effect in found if effect]

    def quote_lots(self, lots: Iterable[Json], stay: Stay) -> None:
        """Write the price of a stay into each lot of an answer; null where nothing prices it.

        Where it is null because a tariff is suspended, the lot says so.
        """
        for lot in lots:
            lot["quote"] = self.glance(lot["lot_id"], stay)
            if lot["quote"] is None and self.is_suspended(lot["lot_id"], stay):
                lot["quote_reason"] = SUSPENDED

    def is_suspended(self, lot_id: str, stay: Stay) -> bool:
        """Whether what prices a lot is suspended at the start of a stay."""
        effect = self.effect_at(lot_id, stay.start) if lot_id in self._lots else None
        return effect is not None and effect.suspension_at(stay.start) is not None

    def glance(self, lot_id: str, stay: Stay) -> Json | None:
        """Return the price of a stay at a lot, for an answer; None where nothing prices it."""
        effect = self.effect_at(lot_id, stay.start) if lot_id in self._lots else None
        if effect is None or effect.suspension_at(stay.start):
            return None
        version = effect.version
        successors: list[pricing.Version] = []
        if version.tariff.version_policy == "at_unit_start" and (
            effect.ends_at and effect.ends_at < stay.end
        ):
            successors = self.successors(lot_id, stay.start, stay.end)
        # A tariff that is read stays the same object while its version is known.
        later = tuple((each.effective_at, id(each.tariff)) for each in successors)
        key = (version.tariff_id, version.version, stay, later)
        if key not in self._glances:
            if len(self._glances) >= MOST_GLANCES:
                self._glances.clear()
            self._glances[key] = _brief(version, stay, self.calendar, successors)
        return self._glances[key]


def _brief(
    version: Version, stay: Stay, calendar: pricing.Calendar, successors: list[pricing.Version]
) -> Json | None:
    priced = pricing.Stay(stay.start, stay.end, class_of(version.tariff, stay.vehicle))
    try:
        total_minor = pricing.pricer(version.tariff, calendar).fee(priced, successors)
    except pricing.PricingError:
        # A class that the tariff does not know, or a stay beyond what one may cost to price: that
        # lot is without a price, and the others are not held up.
        return None
    return {
        "total_minor": total_minor,
        "currency": version.tariff.currency,
        "tariff_id": version.tariff_id,
        "version": version.version,
    }


def class_of(tariff: pricing.Tariff, vehicle: str | None) -> str | None:
    """Return the class of vehicle: as named, else `small` where the tariff knows it."""
    if vehicle is None and tariff.vehicles is not None and ORDINARY in tariff.vehicles:
        return ORDINARY
    return vehicle


def _version(row: StoredVersion) -> Version:
    tariff = pricing.read_tariff(row.document_text)
    return Version(row.tariff_id, row.version, row.content_hash, tariff)


async def read_situations(db: Transaction) -> dict[str, Situation]:
    """Read every lot's type and zones, by lot_id; lots in the same situation share the object."""
    found: dict[str, Situation] = {}
    same = cache(Situation)
    after = ""
    while rows := await queries.zones_of_lots(db, after=after, most=_LOTS_A_PAGE):
        for lot_id, of_lot in groupby(rows, lambda row: row.lot_id):
            zones = list(of_lot)
            spans = ((each.zone_id, each.valid_from, each.valid_to) for each in zones)
            known = tuple((zone, start, end) for zone, start, end in spans if zone and start)
            found[lot_id] = same(zones[0].lot_type, known, zones[0].retired_at)
        after = rows[-1].lot_id
    return found


def calendar_of(rows: Iterable[Year]) -> pricing.Calendar:
    """Return the calendar, made from its years."""
    years = list(rows)
    return pricing.Calendar(
        holidays=tuple(day.isoformat() for year in years for day in year.holidays),
        makeup_workdays=tuple(day.isoformat() for year in years for day in year.makeup_workdays),
    )
