"""The pricer against the slow one, over thousands of random tariffs and stays."""

from datetime import UTC, timedelta
from random import Random

import pytest

from pricing import Calendar, Stay, Version, quote, read_tariff
from tests.pricing.charging import chance
from tests.pricing.charging.oracle import Slow

BATCHES = 8
TARIFFS_A_BATCH = 250
STAYS_A_TARIFF = 4
TWO_DAYS_S = 2 * 86_400
LONG_TARIFFS = 40
LONG_S = 25 * 86_400


@pytest.mark.parametrize("seed", range(BATCHES))
def test_the_pricer_agrees_with_the_slow_one(seed: int) -> None:
    source = Random(seed)
    charged = 0
    for _ in range(TARIFFS_A_BATCH):
        document = chance.tariff(source)
        city = chance.calendar(source)
        tariff, calendar = read_tariff(document), Calendar.model_validate(city)
        slow = Slow(document, city)
        for _ in range(STAYS_A_TARIFF):
            entry, leave, vehicle, granted = chance.stay(source, TWO_DAYS_S)
            later = {**chance.tariff(source), "entitlements": []}
            change = entry + timedelta(seconds=source.randrange(-7200, 90_000))
            stay = Stay(entry, leave, vehicle, granted)
            versions = [Version(change, read_tariff(later))]
            found = quote(tariff, stay, calendar=calendar, versions=versions)
            expected = slow.fee(entry, leave, vehicle, granted, [(change, later)])
            assert found.total_minor == expected, (document, city, stay, change, later)
            charged += expected > 0
    assert charged > TARIFFS_A_BATCH


def test_the_pricer_agrees_on_stays_of_weeks() -> None:
    source = Random(26)
    for _ in range(LONG_TARIFFS):
        document = chance.tariff(source)
        tariff = read_tariff(document)
        entry, _, vehicle, granted = chance.stay(source, TWO_DAYS_S)
        leave = entry.astimezone(UTC) + timedelta(seconds=source.randrange(LONG_S))
        found = quote(tariff, Stay(entry, leave, vehicle, granted))
        assert found.total_minor == Slow(document, None).fee(entry, leave, vehicle, granted, [])
