"""All gateways of a simulated city in one process."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import structlog

from simulators.clock import IN_TIME_S, DemandClock
from simulators.demand.bays import Demand, IntArray
from simulators.demand.closures import Closure
from simulators.demand.events import Event
from simulators.feeds import rfc3339
from simulators.gateway import Gateway
from simulators.outbox import IN_FLIGHT_MAX, Outbox
from simulators.pacing import CountPacer, SnapshotSchedule
from simulators.platform import Asking, Platform
from simulators.registry import (
    Broker,
    Credentials,
    Lot,
)
from simulators.sensors.links import Links
from simulators.sensors.profiles import PROFILES
from simulators.sensors.truth import Run, TruthWriter
from simulators.stopping import end_tasks, finish, unless
from simulators.world import World

CITY_TIMEZONE = ZoneInfo("Asia/Shanghai")
TICK_S = 1.0
DEFAULT_SEED = 370_200
# Real seconds of a tick in which a demand that is behind catches up; gateways need the others.
CATCH_UP_S = 0.5
# The demand goes on by so many of its own seconds before the clock is looked at.
SLICE_S = 60.0
# The gateways connect, and their lots report, spread over this time.
START_S = 6.0
LOG_INTERVAL_S = 60.0
STATUS_INTERVAL_S = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """How the fleet runs.

    Attributes:
        speed: the demand's time over real time: reports have the time of the wall clock and are
            sent at its intervals.
        start_at: the demand's first instant, aware; None: that of the wall clock at the start.
        snapshot_interval_s: the longest time between two whole states of a lot; shorter where
            the lot's `report_interval_s` is shorter.
        seed: the same seed gives the same drivers and the same faults.
        profile: name of how often sensors, clocks and connections fail.
        events: crowds at some places and times of the drivers' clock.
        closures: lots that are closed for a time of the drivers' clock.
        asking: the platform whose closures, and prices, drivers answer; None: none.
        truth: the directory that the truth is written into; None: nowhere.
        status_file: where the fleet's figures are written every STATUS_INTERVAL_S; None: nowhere.
    """

    speed: float = 1.0
    start_at: datetime | None = None
    snapshot_interval_s: float = 300.0
    seed: int = DEFAULT_SEED
    profile: str = "clean"
    events: tuple[Event, ...] = ()
    closures: tuple[Closure, ...] = ()
    asking: Asking | None = None
    truth: Path | None = None
    status_file: Path | None = None


def simulated_lots(
    lots: Sequence[Lot], credentials: Sequence[Credentials]
) -> tuple[list[Lot], dict[str, Credentials]]:
    """Return the lots that simulated gateways report for, and those gateways by user name.

    A lot belongs to the gateway whose credentials list it. Gateways without a lot are left out.
    """
    gateway_of = {lot: entry for entry in credentials if entry.simulated for lot in entry.lots}
    chosen = [lot for lot in lots if lot.lot_id in gateway_of]
    used = [gateway_of[lot.lot_id] for lot in chosen]
    return chosen, {entry.username: entry for entry in used}


class Fleet:
    """The simulated gateways over one world.

    Args:
        broker: where they connect.
        lots: lots to simulate, at least one.
        gateways: credentials by user name; together they list exactly the lots.
        settings: speed, intervals, seed, events.
        ranks: of each bay: drivers prefer those of low rank; by number when None.
        clock: steady seconds.
        now: the wall clock, aware, with the city's offset.

    Attributes:
        world: what is true of the lots.
        gateways: by user name.
        jumps: how often the demand left out time that it could not catch up with.
    """

    def __init__(
        self,
        broker: Broker,
        lots: Sequence[Lot],
        gateways: Mapping[str, Credentials],
        settings: FleetSettings,
        *,
        ranks: IntArray | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(CITY_TIMEZONE),
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._now = now
        self._rng = random.Random(settings.seed)
        wall_at = now()
        start_s = (settings.start_at or wall_at).timestamp()
        self.jumps = 0
        self._demand_clock = DemandClock(start_s, settings.speed, wall_at.timestamp(), clock())
        profile = PROFILES[settings.profile]
        self.world = World(
            lots,
            _demand_maker(lots, settings, wall_at, ranks),
            start_s,
            wall_at,
            profile=profile,
            seed=settings.seed,
        )
        self.gateways = self._make_gateways(broker, gateways)
        names = {lot_id: entry.username for entry in gateways.values() for lot_id in entry.lots}
        self._gateway_of = [self.gateways[names[lot.lot_id]] for lot in lots]
        self._snapshots = SnapshotSchedule(lots, settings.snapshot_interval_s, clock(), self._rng)
        self._counts = CountPacer()
        self._behind_s = 0.0
        self._links = Links(settings.seed, [*self.gateways], profile, wall_at.timestamp())
        position = {name: index for index, name in enumerate(self.gateways)}
        self._gateway_number = np.array([position[names[lot.lot_id]] for lot in lots])
        self._are_cut = np.zeros(len(self.gateways), dtype=np.bool_)
        self._truth = self._truth_writer()
        self._platform = (
            None if settings.asking is None else Platform(settings.asking, self.world, now)
        )

    def _make_gateways(
        self, broker: Broker, credentials: Mapping[str, Credentials]
    ) -> dict[str, Gateway]:
        position = {lot.lot_id: index for index, lot in enumerate(self.world.lots)}
        gateways = {}
        for entry in credentials.values():
            own = [lot_id for lot_id in entry.lots if lot_id in position]
            outboxes = {lot_id: self._outbox(position[lot_id]) for lot_id in own}
            gateways[entry.username] = Gateway(
                broker, entry, outboxes, rng=self._rng, clock=self._clock
            )
        return gateways

    def _truth_writer(self) -> TruthWriter | None:
        settings, lots = self._settings, self.world.lots
        if settings.truth is None:
            return None
        run = Run(
            [lot.lot_id for lot in lots],
            np.diff(self.world.offsets),
            np.array([lot.reporting == "bays" for lot in lots]),
            settings.profile,
            settings.speed,
            settings.seed,
        )
        return TruthWriter(settings.truth, run)

    def _outbox(self, lot: int) -> Outbox:
        # In a fast city a lot's next message waits for the ack of the one before, and also holds
        # what changes meanwhile: so the platform sets the pace, at any speed.
        window = 1 if self._settings.speed > 1 else IN_FLIGHT_MAX
        state = partial(self.world.whole_state, lot)
        return Outbox(lambda: int(time.time()), state, self._rng, window=window)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; then every gateway says `offline`, within 2 s."""
        gap_s = START_S / len(self.gateways)
        tasks = [
            asyncio.create_task(self._start_gateway(gateway, index * gap_s, stop))
            for index, gateway in enumerate(self.gateways.values())
        ]
        following = await self._follow_platform(stop)
        log.info("simulator started", **self._figures())
        try:
            await self._tick_until(stop)
        finally:
            stop.set()
            await end_tasks(following)
            await finish(tasks)
            if self._truth is not None:
                self._truth.flush()
            log.info("simulator stopped", **self._figures())

    async def _follow_platform(self, stop: asyncio.Event) -> list[asyncio.Task[None]]:
        """Begin to ask the platform; return the tasks that do so, to be cancelled at the end."""
        if self._platform is None:
            return []
        following = [asyncio.create_task(self._platform.run())]
        if self._platform.has_prices:
            # The first step knows prices already: so the same prices give the same days.
            waits = [asyncio.create_task(event.wait()) for event in (self._platform.asked, stop)]
            await asyncio.wait([*following, *waits], return_when=asyncio.FIRST_COMPLETED)
            await end_tasks(waits)
        return following

    async def _start_gateway(self, gateway: Gateway, delay_s: float, stop: asyncio.Event) -> None:
        await unless(stop, delay_s)
        await gateway.run(stop)

    async def _tick_until(self, stop: asyncio.Event) -> None:
        next_s = self._clock() + TICK_S
        next_log_s = self._clock() + LOG_INTERVAL_S
        next_status_s = self._clock()
        while not stop.is_set():
            await unless(stop, max(next_s - self._clock(), 0.0))
            now_s = self._clock()
            next_s += TICK_S * max(int((now_s - next_s) / TICK_S) + 1, 0)
            self.tick()
            if now_s >= next_log_s:
                next_log_s += LOG_INTERVAL_S
                log.info("simulator running", **self._figures())
            if now_s >= next_status_s and self._settings.status_file is not None:
                next_status_s = now_s + STATUS_INTERVAL_S
                write_status(self._settings.status_file, self._figures())

    def tick(self) -> None:
        """Bring the demand to the instant that is due, and report what changed and what is due."""
        self._go_on()
        self._follow_links()
        if self._truth is not None:
            world = self.world
            self._truth.note(
                self._now().timestamp(), world.simulated_s, world.free_spaces(), world.occupied
            )
        now_s = self._clock()
        for lot, bays in self.world.changes(self._now()):
            self._report_change(lot, bays)
        for lot in self._counts.due(now_s):
            self._gateway_of[lot].add(self.world.lots[lot].lot_id, self.world.whole_state(lot))
        for lot in self._snapshots.due(now_s):
            # A gateway that is not connected reports all its lots when it connects.
            if self._gateway_of[lot].connected.is_set():
                self._gateway_of[lot].add_whole_state(self.world.lots[lot].lot_id)

    def _follow_links(self) -> None:
        """Let clocks of gateways be wrong, and their connections break and come back."""
        at_s = self._now().timestamp()
        self.world.clocks_s = self._links.clocks_s(at_s)[self._gateway_number]
        are_cut = self._links.cut(at_s)
        gateways = [*self.gateways.values()]
        for number in np.flatnonzero(are_cut != self._are_cut):
            gateways[number].cut() if are_cut[number] else gateways[number].mend()
        self._are_cut = are_cut

    def _go_on(self) -> None:
        """Let the demand go on as far as there is time for; should it stay behind, it jumps."""
        began_s = self._clock()
        due_s = self._demand_clock.read(self._now().timestamp(), began_s)
        behind_s = self._demand_clock.behind_s(self.world.simulated_s)
        if self._demand_clock.slept_s or behind_s >= IN_TIME_S > self._behind_s:
            log.warning(
                "the demand is behind and catches up",
                behind_s=round(behind_s),
                slept_s=round(self._demand_clock.slept_s),
            )
        while self.world.simulated_s < due_s and self._clock() - began_s <= CATCH_UP_S:
            self.world.advance_to(min(self.world.simulated_s + SLICE_S, due_s))
        if self._demand_clock.should_jump(self.world.simulated_s, self._clock()):
            self._jump(due_s)
        self._behind_s = self._demand_clock.behind_s(self.world.simulated_s)

    def _jump(self, due_s: float) -> None:
        log.warning(
            "the demand cannot catch up and jumps",
            from_at=_local(self.world.simulated_s),
            to_at=_local(due_s),
        )
        self.world.jump_to(due_s)
        self._demand_clock.jumped()
        self.jumps += 1

    def _report_change(self, lot: int, bays: IntArray) -> None:
        if not self._gateway_of[lot].connections:
            return  # its first connection begins with the whole state, which has this change
        if self.world.lots[lot].reporting == "bays":
            report = self.world.report(lot, bays)
            self._gateway_of[lot].add(self.world.lots[lot].lot_id, report)
        else:
            self._counts.changed(lot)

    def _figures(self) -> dict[str, object]:
        """Return the figures of the fleet for the log and the status file."""
        gateways = self.gateways.values()
        errors = Counter(
            gateway.last_error
            for gateway in gateways
            if gateway.last_error is not None and not gateway.connected.is_set()
        )
        return {
            "written_at": rfc3339(self._now()),
            "simulated_at": _local(self.world.simulated_s),
            "behind_s": round(self._behind_s),
            "jumps": self.jumps,
            "speed": self._settings.speed,
            "gateways": len(self.gateways),
            "cut_off": int(self._are_cut.sum()),
            "connected": sum(gateway.connected.is_set() for gateway in gateways),
            "lots": len(self.world.lots),
            "occupancy": round(self.world.occupancy(), 3),
            **self.world.turned_away(),
            **({} if self._platform is None else self._platform.figures()),
            "sent": sum(gateway.sent for gateway in gateways),
            "unacked": sum(gateway.unacked for gateway in gateways),
            "acks": dict(sum((gateway.acks for gateway in gateways), Counter())),
            "errors": dict(errors.most_common(3)),
        }


def write_status(path: Path, figures: Mapping[str, object]) -> None:
    """Replace the file by the figures as JSON; where that fails, the gateways go on."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(orjson.dumps(figures) + b"\n")
        fresh.replace(path)
    except OSError as error:
        log.warning("status not written", file=str(path), error=str(error))


def _local(at_s: float) -> str:
    return rfc3339(datetime.fromtimestamp(int(at_s), CITY_TIMEZONE))


def _demand_maker(
    lots: Sequence[Lot], settings: FleetSettings, wall_at: datetime, ranks: IntArray | None
) -> Callable[[float], Demand]:
    offset = (settings.start_at or wall_at).utcoffset()
    if offset is None:
        raise ValueError(wall_at)
    return partial(
        Demand,
        lots,
        seed=settings.seed,
        utc_offset_s=int(offset.total_seconds()),
        events=settings.events,
        closures=settings.closures,
        ranks=ranks,
    )
