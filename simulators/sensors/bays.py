"""What the sensors of bays show. No I/O, no clock.

All chance is a function of the seed, the bay and the step: the same days give the same faults.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.demand.levels import FloatArray, keys, uniforms
from simulators.sensors.profiles import DEAD_MIN, FLIPPED_MIN, FROZEN_MIN, Profile

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Odd: the bays of a lot have different keys.
_BAY: Final = np.uint64(0xD1B5_4A32_D192_ED03)

# A sensor that was frozen before the beginning holds either state.
_HALF: Final = 0.5


class Chances:
    """Uniform numbers for bays.

    Args:
        seed: of the sensors.
        lots: lot ids.
        offsets: first bay of each lot, and the number of all bays last.
    """

    def __init__(self, seed: int, lots: Sequence[str], offsets: IntArray) -> None:
        self._seed, self._lots = seed, lots
        self.lot = np.repeat(np.arange(len(lots)), np.diff(offsets))
        self._within = np.arange(offsets[-1]) - offsets[self.lot]
        self._keys: dict[str, NDArray[np.uint64]] = {}

    def draw(self, purpose: str, bays: IntArray, numbers: IntArray) -> FloatArray:
        """Return a number in [0, 1) for each bay and its number; shape (bays,)."""
        if purpose not in self._keys:
            self._keys[purpose] = keys(self._seed, purpose, self._lots)
        of = self._keys[purpose][self.lot[bays]] + self._within[bays].astype(np.uint64) * _BAY
        return uniforms(of, numbers)


class Spells:
    """Bays that have a fault for a while, then may not have it.

    Each minute those bays are drawn anew whose turn it is, so that faults come one by one.

    Args:
        chances: for the draws.
        purpose: the fault.
        share: of bays that have it at a time.
        length_min: of a spell, minutes; a bay may draw several in a row.
        minute: the first, since 1970.

    Attributes:
        on: which bays have it; shape (bays,).
    """

    def __init__(
        self, chances: Chances, purpose: str, share: float, length_min: int, minute: int
    ) -> None:
        self._chances, self._purpose = chances, purpose
        self._share, self._length = share, length_min
        bays = np.arange(len(chances.lot))
        self.on = self._drawn(bays, minute) if share else np.zeros(len(bays), dtype=np.bool_)

    def _drawn(self, bays: IntArray, minute: int) -> BoolArray:
        numbers = (minute - bays) // self._length
        drawn: BoolArray = self._chances.draw(self._purpose, bays, numbers) < self._share
        return drawn

    def renew(self, minute: int) -> IntArray:
        """Draw for the bays whose turn it is; return those that are rid of the fault."""
        bays = np.arange(minute % self._length, len(self.on) if self._share else 0, self._length)
        before = self.on[bays]
        self.on[bays] = self._drawn(bays, minute)
        rid: IntArray = bays[before & ~self.on[bays]]
        return rid


class BaySensors:
    """The sensors of all bays, over what is true.

    Args:
        chances: for all draws.
        occupied: what is true of each bay, shape (bays,); read again at each step.
        profile: rates of faults.
        minute: that of the beginning, since 1970; sensors are right then, unless they have a
            fault at that time.
    """

    def __init__(
        self, chances: Chances, occupied: BoolArray, profile: Profile, minute: int
    ) -> None:
        self._chances, self._truth, self._profile = chances, occupied, profile
        self._flipped = Spells(chances, "flipped", profile.flipped, FLIPPED_MIN, minute)
        self._dead = Spells(chances, "dead", profile.dead, DEAD_MIN, minute)
        self._frozen = Spells(chances, "frozen", profile.frozen, FROZEN_MIN, minute)
        self._sensed = occupied.copy()
        frozen = np.flatnonzero(self._frozen.on)
        held = chances.draw("held", frozen, np.zeros_like(frozen))
        self._sensed[frozen] = held < _HALF
        # Bays that hold a car of the bay before them, as their sensors see it.
        self._shadow = np.zeros_like(occupied)

    @property
    def unknown(self) -> BoolArray:
        """Bays whose sensors are dead; shape (bays,)."""
        return self._dead.on

    def shown(self) -> BoolArray:
        """Return whether each bay is shown as occupied; bays that are unknown are not."""
        works = ~self._frozen.on
        shown: BoolArray = self._sensed | (self._shadow & works)
        shown ^= self._flipped.on & works
        return shown & ~self._dead.on

    def step(self, number: int, changed: IntArray) -> None:
        """Notice what changed in a step, or not.

        Args:
            number: of the step.
            changed: bays whose true state differs from that of the step before.
        """
        numbers = np.full(len(changed), number)
        noticed = changed[
            ~self._frozen.on[changed]
            & (self._chances.draw("missed", changed, numbers) >= self._profile.missed)
        ]
        self._sensed[noticed] = self._truth[noticed]
        if self._profile.doubled:
            self._double(number, changed)

    def _double(self, number: int, changed: IntArray) -> None:
        """Let cars be seen in the next bay of the lot too, until they leave."""
        last = len(self._truth) - 1
        beside = changed[changed < last]
        beside = beside[self._chances.lot[beside] == self._chances.lot[beside + 1]]
        drawn = self._chances.draw("doubled", beside, np.full(len(beside), number))
        self._shadow[beside + 1] = self._truth[beside] & (drawn < self._profile.doubled)

    def renew(self, minute: int) -> None:
        """Let faults come and go, once a minute; a sensor that is mended shows what is true."""
        self._flipped.renew(minute)
        for spells in (self._dead, self._frozen):
            mended = spells.renew(minute)
            mended = mended[~self._frozen.on[mended]]
            self._sensed[mended] = self._truth[mended]
