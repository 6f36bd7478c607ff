"""The shapes of requests and answers about tariffs."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StrictInt, model_validator

import pricing
from parking_api.models import (
    Answer,
    Body,
    Day,
    FromJson,
    Instant,
    JsonObject,
    Line,
    LotType,
    Name,
    Reason,
    StoredName,
    one_line,
)
from parking_api.paging import START, PageLimit
from parking_api.parameters import Id, Moment, Parameters
from parking_api.quotes.models import LeavesUnpriced, UnpricedLots
from parking_api.tariffs.examples import CLASS_1_ROAD
from pricing import Lint

State = Literal[
    "draft", "in_review", "approved", "scheduled", "in_force", "superseded", "withdrawn"
]
Document = Annotated[
    JsonObject,
    Field(description="The tariff document.", examples=[CLASS_1_ROAD]),
]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class AppliesTo(Body):
    """What a tariff prices: every one of the zones with every one of the lot types; or lots."""

    zones: tuple[Id, ...] = Field((), max_length=200, examples=[["qd-370202-1"]])
    lot_types: tuple[LotType, ...] = Field((), max_length=4, examples=[["on_street"]])
    lots: tuple[Id, ...] = Field(
        (), max_length=2000, description="Lots with a tariff of their own, instead."
    )

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        by_zone = bool(self.zones) and bool(self.lot_types) and not self.lots
        by_lot = bool(self.lots) and not self.zones and not self.lot_types
        if not (by_zone or by_lot):
            raise ValueError("give zones and lot_types, or lots")
        return self


class Office(Body):
    """An office that issues notices."""

    zh: Line = Field(examples=["青岛市发展和改革委员会"])
    en: Line = Field(examples=["Qingdao Municipal Development and Reform Commission"])


class NewTariff(Body):
    """A tariff to draft; its id is the document's."""

    document: Document
    applies_to: AppliesTo
    reason: Reason


class NewVersion(Body):
    """A further version of a tariff: a new document, or one of an earlier version (rolling back).

    `applies_to` is the earlier version's where none is given.
    """

    document: Document | None = None
    copy_of: StrictInt | None = Field(
        None, ge=1, le=2**31 - 1, description="The version to go back to."
    )
    applies_to: AppliesTo | None = None
    reason: Reason

    @model_validator(mode="after")
    def _has_one_document(self) -> Self:
        if (self.document is None) == (self.copy_of is None):
            raise ValueError("give either document or copy_of")
        return self


class Submission(Body):
    """A draft is handed in. Its prices are held against the price control of its time."""

    effective_from: Moment | None = Field(
        None, description="When it is meant to come into force; null for now. It binds nobody."
    )
    effective_to: Moment | None = Field(
        None, description="When it is meant to end, exclusive; null for no end."
    )
    reason: Reason


class Issued(Body):
    """What the notice of a version says of itself; it leaves out what is not given."""

    issuing_office: Office | None = Field(None, description="Who issues the notice.")
    document_number: Annotated[str, one_line(100)] | None = Field(
        None, description="The notice's own number.", examples=["青发改规〔2026〕12号"]
    )
    issued_on: Day | None = Field(None, description="The notice's date.", examples=["2026-11-22"])


class Schedule(Issued):
    """When an approved version comes into force."""

    effective_from: Moment = Field(examples=["2027-04-20T00:00:00+08:00"])
    effective_to: Moment | None = Field(None, description="Exclusive; null for no end.")
    leaves_unpriced: LeavesUnpriced = False
    reason: Reason


class Publication(Issued):
    """An approved version comes into force at once."""

    effective_to: Moment | None = Field(None, description="Exclusive; null for no end.")
    leaves_unpriced: LeavesUnpriced = False
    reason: Reason


class Withdrawal(Body):
    """A version is withdrawn."""

    leaves_unpriced: LeavesUnpriced = False
    reason: Reason


class ToLint(Body):
    """A document to look over, and what it is meant for."""

    document: Document
    applies_to: AppliesTo | None = None


class TariffsAsk(Parameters):
    """A page of tariff versions."""

    tariff: Id | None = None
    state: State | None = None
    zone: Id | None = None
    lot_type: LotType | None = None
    lot: Id | None = None
    limit: PageLimit = 100
    cursor: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9._-]{1,64}~[0-9]{1,9}$",
            description=START,
        ),
    ] = None


class CompareAsk(Parameters):
    """What a version is compared with."""

    to: Annotated[Number, Field(description="The version on the other side.")]


class Target(Answer):
    """What a version prices."""

    zones: list[str]
    lot_types: list[str]
    lots: list[str]


class VersionFacts(Answer):
    """A tariff version without its document."""

    tariff_id: str
    version: int
    name: StoredName
    state: State
    hash: str = Field(description="SHA-256 of the canonical document, in hex.")
    applies_to: Annotated[Target, FromJson]
    copy_of: int | None = Field(description="The version that it goes back to.")
    effective_from: Instant | None
    effective_to: Instant | None = Field(description="Exclusive; null for no end yet.")
    published_at: Instant | None
    issuing_office: Annotated[Name | None, FromJson] = Field(
        description="Who has issued its notice."
    )
    document_number: str | None = Field(description="The number of its notice.")
    issued_on: date | None = Field(description="The date of its notice.")


class VersionAnswer(VersionFacts):
    """A tariff version."""

    document: Annotated[JsonObject, FromJson]


class BureauVersion(VersionAnswer):
    """A tariff version as the bureau sees it."""

    imported: bool = Field(description="It was in force before it came into the platform.")
    drafted_by: str
    drafted_at: Instant
    submitted_by: str | None
    submitted_at: Instant | None
    approved_by: str | None
    approved_at: Instant | None
    published_by: str | None
    withdrawn_by: str | None
    withdrawn_at: Instant | None

    @property
    def stage(self) -> str:
        """Its state without regard to when it is in force."""
        if self.state in ("scheduled", "in_force", "superseded"):
            return "published"
        return self.state

    @property
    def tariff(self) -> pricing.Tariff:
        """What the document says: what was stored was right."""
        return pricing.read_tariff(self.document)


class SubmittedVersion(BureauVersion):
    """A version in review."""

    conflicts: list[str] = Field(
        description="What stands in the way of publishing it then, as things are: what prices the "
        "same zone and lot type, or lot, or a version of its own that comes into force later."
    )
    unpriced: UnpricedLots = Field(
        description="Lots that would lose their price: it is published with `leaves_unpriced` then."
    )


class EffectiveVersion(BureauVersion):
    """A version that was published or withdrawn, and what comes of it."""

    unpriced: UnpricedLots


class VersionNamed(Body):
    """A version, as a decision names it."""

    tariff_id: Id
    version: Number


class WithdrawalOf(VersionNamed):
    """A published version to be withdrawn, as a decision has it."""

    leaves_unpriced: LeavesUnpriced = False


class SuspensionAnswer(Answer):
    """A window in which a version is held back, or gives no price."""

    suspension_id: int
    tariff_id: str
    version: int
    suspended_from: Instant
    suspended_to: Instant | None = Field(
        description="Exclusive; when it lapses, or was lifted. Null for no end yet."
    )
    reason: str
    state: Literal["unconfirmed", "confirmed", "lapsed", "resumed"]


class BureauSuspension(SuspensionAnswer):
    """A suspension as the bureau sees it."""

    suspended_by: str
    confirmed_by: str | None
    confirmed_at: Instant | None
    resumed_by: str | None
    resumed_at: Instant | None


class Finding(Answer):
    """Something about a tariff that should be looked at."""

    code: str
    path: str = Field(description="Where in the document; empty for the whole of it.")
    clause: str
    severity: str
    text: Name
    amount_minor: int | None = Field(description="The money at stake, where it can be computed.")

    @classmethod
    def of(cls, found: Lint) -> Self:
        """Make one out of what the pricer found."""
        return cls(
            code=found.code,
            path=found.path,
            clause=found.clause,
            severity=found.severity,
            text=Name(zh=found.zh, en=found.en),
            amount_minor=found.money_minor,
        )


class Findings(Answer):
    """What a look over a tariff found."""

    hash: str
    findings: list[Finding]


class Change(Answer):
    """One difference between two versions."""

    path: str
    before: JsonValue
    after: JsonValue
    text: Name


class FeeChange(Answer):
    """What a stay of some length costs by each of two versions."""

    entry: Instant
    duration_s: int
    before_minor: int
    after_minor: int


class Comparison(Answer):
    """What differs between two versions."""

    tariff_id: str
    before: int
    after: int
    changes: list[Change]
    fees: list[FeeChange]
    text: Name
