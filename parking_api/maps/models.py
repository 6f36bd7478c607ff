"""The shapes of what maps draw, and of what is asked for them."""

from typing import Literal

from pydantic import Field

from parking_api.models import Answer, Count, JsonObject, LotType, Name, Reporting
from parking_api.parameters import InCrs


class MapAsk(InCrs):
    """What a map draws, in its coordinates."""


class Names(Answer):
    """What people call things, a column for each language."""

    zh: list[str] = Field(examples=[["五四广场地下停车场"]])
    en: list[str] = Field(examples=[["May Fourth Square Underground"]])


class BayCounts(Answer):
    """How many bays of each class lots have, a column for each; null where that is not known."""

    standard: list[Count | None]
    accessible: list[Count | None]
    ev: list[Count | None] = Field(description="With a charger.")
    large: list[Count | None]


class LotColumns(Answer):
    """Every lot as it is registered, in columns: the nth value of each is of the nth lot."""

    lot_id: list[str] = Field(description="In their order.", examples=[["370202-0001"]])
    name: Names
    lot_type: list[LotType]
    district: list[str | None] = Field(description="Code (adcode).", examples=[["370202"]])
    zone_id: list[str | None]
    lon: list[float] = Field(description="Degrees in `crs`, to 6 decimals.", examples=[[120.3826]])
    lat: list[float] = Field(description="Likewise.", examples=[[36.0671]])
    capacity: list[Count] = Field(
        description="Spaces as registered; states tell how many are in service."
    )
    reporting: list[Reporting] = Field(
        description="Whether each bay is sensed, or the gates count."
    )
    bays: BayCounts
    height_limit_m: list[float | None] = Field(description="Null for none.", examples=[[2.1]])
    opens_at: list[str | None] = Field(
        description="As in the `opening_hours` of a lot; null for round the clock.",
        examples=[["06:30"]],
    )
    closes_at: list[str | None] = Field(description="Likewise.", examples=[["23:00"]])


class DistrictFacts(Answer):
    """What there is to say about a district, but for its ground."""

    adcode: str = Field(examples=["370202"])
    name: Name


class DistrictFeature(Answer):
    """A district as a GeoJSON feature."""

    type: Literal["Feature"]
    id: str = Field(description="Its `adcode`.")
    geometry: JsonObject
    properties: DistrictFacts


class DistrictCollection(Answer):
    """The districts as a GeoJSON FeatureCollection, by their code."""

    type: Literal["FeatureCollection"]
    features: list[DistrictFeature]
