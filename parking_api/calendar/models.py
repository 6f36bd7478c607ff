"""The shapes of requests and answers about the calendar."""

from datetime import date

from pydantic import Field

from parking_api.models import Answer, Body, Day, Instant, Reason


class NewYear(Body):
    """A year's holidays and make-up workdays (调休), as the State Council announces them."""

    holidays: tuple[Day, ...] = Field(max_length=366, examples=[["2027-01-01"]])
    makeup_workdays: tuple[Day, ...] = Field(max_length=366, examples=[[]])
    reason: Reason


class Year(Answer):
    """A year's calendar."""

    year: int
    holidays: list[date]
    makeup_workdays: list[date]
    published_by: str
    published_at: Instant
