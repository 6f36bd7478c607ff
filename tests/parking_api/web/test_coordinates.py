"""The pages' own coordinates are those of the platform."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from parking_api.coordinates import to_wgs84, wgs84_to_gcj02

# The one that builds the pages; the distribution's may be too old to read TypeScript.
NODE = Path(sys.executable).parent / "node"
ROOT = Path(__file__).resolve().parents[3]
CONVERT = """
import { fromGcj02, toGcj02 } from "./src/coordinates.ts";
const places = JSON.parse(process.argv[1]);
console.log(JSON.stringify(places.map((place) => [toGcj02(place), fromGcj02(toGcj02(place))])));
"""
# In China, at its edges, and elsewhere.
CHOSEN = [(120.3826, 36.0671), (105.0, 35.0), (72.1, 0.9), (137.8, 55.8), (2.35, 48.86), (-70, -33)]


def test_they_are_converted_as_the_platform_does() -> None:
    some = random.Random(7)
    places = CHOSEN + [(some.uniform(74, 135), some.uniform(18, 53)) for _ in range(200)]
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", CONVERT, json.dumps(places)],
        cwd=ROOT / "parking_api/web",
        capture_output=True,
        text=True,
        check=True,
    )
    moved = 0
    for place, (there, back) in zip(places, json.loads(done.stdout), strict=True):
        expected = wgs84_to_gcj02(*place)
        moved += expected != place
        assert there == pytest.approx(expected, abs=1e-9)
        assert back == pytest.approx(place, abs=1e-8)
        assert back == pytest.approx(to_wgs84(there[0], there[1], "gcj02"), abs=1e-9)
    assert moved == len(places) - 2
    # As published in many places: Tian'anmen, 116.391 39.907 in WGS 84.
    assert wgs84_to_gcj02(116.391, 39.907) == pytest.approx((116.39724, 39.9084), abs=5e-4)
