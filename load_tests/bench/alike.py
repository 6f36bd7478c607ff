"""Makes sure that a peer gives the answers that it is measured for."""

import json
from collections.abc import Sequence
from typing import Final

from load_tests.bench.asking import BenchError
from load_tests.bench.servers import Contender, body

_COMPARED: Final = 50
# Of the places compared, so many must be answered alike: what peers know is of an earlier moment.
_ALIKE: Final = 0.8
# Planes and spheres are not the spheroid.
_MOST_OFF: Final = 0.01
_MOST_OFF_M: Final = 1.0


def compare(ours: Contender, peer: Contender, paths: Sequence[str], items: str) -> None:
    """Compare how far the first and the last of what is found are away.

    Args:
        ours: The measure.
        peer: What is compared.
        paths: Questions.
        items: The member of answers that has what is found.

    Raises:
        BenchError: They are not alike, or our own answers are empty.
    """
    compared = alike = 0
    for path in paths[:_COMPARED]:
        one, two = (
            [found["distance_m"] for found in json.loads(body(each, path))[items]]
            for each in (ours, peer)
        )
        # A peer may find something beyond our radius.
        shared = min(len(one), len(two))
        if shared:
            compared += 1
            alike += all(_is_near(one[at], two[at]) for at in (0, shared - 1))
    if not compared or alike < _ALIKE * compared:
        raise BenchError(f"{peer.name}: {alike} of {compared} answers are as ours")


def _is_near(one: float, two: float) -> bool:
    return abs(one - two) <= _MOST_OFF * one + _MOST_OFF_M
