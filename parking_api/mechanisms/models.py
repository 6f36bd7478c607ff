"""The shapes of requests and answers about price mechanisms."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from parking_api.models import Answer, Body, FromJson, Instant, JsonObject, LotType, Name, Reason
from parking_api.paging import START, PageLimit
from parking_api.parameters import ID_PATTERN, Parameters
from pricing.mechanism import Mechanism, Rule
from pricing.mechanism import Reason as Why

_ID: Final = re.compile(ID_PATTERN)
State = Literal["draft", "approved", "retired"]
Mode = Literal["on", "frozen"]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
# After Qingdao's published rule of two seasons for road berths.
ROAD_BY_SEASON: Final[dict[str, Any]] = {
    "id": "taidong-road",
    "zone_id": "qd-370203-1",
    "lot_types": ["on_street"],
    "time_bands": [{"id": "day", "days": "all", "start": "07:30", "end": "18:30"}],
    "seasons": [
        {"id": "peak", "from": "04-20", "to": "10-10"},
        {"id": "off-peak", "from": "10-11", "to": "04-19"},
    ],
    "rule": "size_aware",
    "floor_minor": 200,
    "ceiling_minor": 840,
    "grid_minor": 20,
    "shortest_interval_days": 28,
    "coverage_percent": 90,
}


def _with_ids(given: Mechanism) -> Mechanism:
    bands, seasons = (one.id for one in given.time_bands), (one.id for one in given.seasons)
    wrong = [one for one in (given.id, given.zone_id, *bands, *seasons) if not _ID.fullmatch(one)]
    if wrong:
        raise ValueError(
            f"an id is of a-z, 0-9, dot, dash and underscore, 64 at most; not {wrong[0]!r}"
        )
    return given


class NewMechanism(Body):
    """A price mechanism to draft."""

    mechanism: Annotated[Mechanism, AfterValidator(_with_ids), Field(examples=[ROAD_BY_SEASON])]
    reason: Reason


class ReviewsAsk(Parameters):
    """A page of reviews."""

    limit: PageLimit = 100
    cursor: Annotated[Number | None, Field(description=START)] = None


class MechanismAnswer(Answer):
    """A price mechanism."""

    mechanism_id: str
    mechanism: Annotated[Mechanism, FromJson] = Field(
        description="As it was drafted, with its present mode."
    )
    hash: str = Field(description="SHA-256 of the canonical definition, in hex.")
    state: State
    mode: Mode
    drafted_at: Instant
    approved_at: Instant | None = Field(description="Null for a draft, which reviews nothing yet.")
    retired_at: Instant | None


class BureauMechanism(MechanismAnswer):
    """A price mechanism as the bureau sees it."""

    drafted_by: str
    approved_by: str | None
    retired_by: str | None


class TargetShares(Answer):
    """Occupancies, 0..1."""

    lower: float
    upper: float


class ProposalAnswer(Answer):
    """What a review proposes for one time band, and why; it is kept as it is answered."""

    time_band: str
    season: str | None
    occupancy: float | None = Field(description="Mean over what was seen, by spaces; 0..1.")
    coverage: float = Field(description="Share of the band's hours that was seen, by spaces; 0..1.")
    pressure: float | None = Field(description="Share of time without a free space, 0..1.")
    pressure_beside: float | None = Field(
        description="The same of lots beside that the mechanism does not move."
    )
    spaces: int = Field(description="Of the lot in which the zone's middle space lies.")
    target: TargetShares
    rests: TargetShares = Field(
        description="Within the target: where the rule leaves the price alone, unless the lot "
        "is full for too long."
    )
    rule: Rule
    before_minor: int = Field(description="An hour's price, of the first tier.")
    after_minor: int
    reason: Why
    text: Name


class DraftedVersion(Answer):
    """The tariff version that was drafted from a review."""

    version: int
    drafted_by: str
    drafted_at: Instant


class ReviewAnswer(Answer):
    """A recorded execution of a price mechanism."""

    mechanism_id: str
    number: int
    reviewed_at: Instant
    reviewed_by: str
    read_from: Instant
    read_to: Instant = Field(description="Exclusive.")
    lots: int = Field(description="How many lots' history was read.")
    tariff_id: str
    version: int = Field(description="The tariff version that was in force.")
    mechanism: Annotated[JsonObject, FromJson] = Field(description="As it was then.")
    lot_types: Annotated[list[LotType], FromJson]
    proposals: Annotated[list[ProposalAnswer], FromJson]
    drafted: Annotated[DraftedVersion | None, FromJson]
