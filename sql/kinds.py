"""The values that columns of kinds may have, such as lot types, for programs without tables.

SQLAlchemy alone takes half a second to import, and no program but the migrations uses it.
"""

from typing import Final, Literal, get_args

LotType = Literal["on_street", "surface", "underground", "multi_storey"]
LandUse = Literal[
    "hospital",
    "school",
    "scenic",
    "station",
    "mall",
    "market",
    "office",
    "hotel",
    "housing",
    "industrial",
    "street",
]
Reporting = Literal["bays", "count"]
# How a report came.
Transport = Literal["mqtt", "http"]
SpaceClass = Literal["standard", "accessible", "ev", "large"]
SpaceState = Literal["free", "occupied", "unknown"]
DataState = Literal["live", "stale", "estimated", "unknown"]
LotStatus = Literal["open", "full", "closed", "unknown"]

# In the order that they stand above.
LOT_TYPES: Final[tuple[LotType, ...]] = get_args(LotType)
SPACE_CLASSES: Final[tuple[SpaceClass, ...]] = get_args(SpaceClass)
Role = Literal["operator", "bureau_drafter", "bureau_approver", "operations"]
SPACE_STATES: Final[tuple[SpaceState, ...]] = get_args(SpaceState)
# The role of people who are about one operator's lots.
OPERATOR: Final = "operator"
DRAFTER: Final = "bureau_drafter"
APPROVER: Final = "bureau_approver"
OPERATIONS: Final = "operations"
