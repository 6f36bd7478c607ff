"""The registry: lots, gateways and their operators, and so who may report what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sql.lot_states import Committed, Lot, LotState

__all__ = ["Committed", "Lot", "LotState", "Registry"]


@dataclass(frozen=True, slots=True)
class GatewaySize:
    """The number of lots of a gateway's operator, and of all their spaces."""

    lots: int = 0
    spaces: int = 0


@dataclass(frozen=True, slots=True)
class Registry:
    """Who may report what.

    Attributes:
        lots: By lot id.
        operators: Each gateway's operator, by gateway id.
        sizes: How much each gateway may report for; absent where that is nothing.
    """

    lots: Mapping[str, Lot] = field(default_factory=dict)
    operators: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, GatewaySize] = field(default_factory=dict)
