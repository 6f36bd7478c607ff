"""A price mechanism: its rules, its reviews, and the tariff whose prices it moves."""

from pricing.mechanism.document import Mechanism
from pricing.mechanism.erlang import blocked_share
from pricing.mechanism.review import (
    MissingStateError,
    PriceState,
    Proposal,
    Reading,
    UnknownBandError,
    review,
)
from pricing.mechanism.rules import (
    SFPARK_FULL,
    SFPARK_IDLE,
    Band,
    Limits,
    Move,
    Reason,
    Rule,
    Situation,
    Steps,
    sfpark,
    size_aware,
    size_aware_band,
)
from pricing.mechanism.tariff import (
    BandPeriod,
    Interval,
    MechanismUnfitError,
    fit,
    governed,
    moved,
    price_states,
    review_tariff,
)

__all__ = [
    "SFPARK_FULL",
    "SFPARK_IDLE",
    "Band",
    "BandPeriod",
    "Interval",
    "Limits",
    "Mechanism",
    "MechanismUnfitError",
    "MissingStateError",
    "Move",
    "PriceState",
    "Proposal",
    "Reading",
    "Reason",
    "Rule",
    "Situation",
    "Steps",
    "UnknownBandError",
    "blocked_share",
    "fit",
    "governed",
    "moved",
    "price_states",
    "review",
    "review_tariff",
    "sfpark",
    "size_aware",
    "size_aware_band",
]
