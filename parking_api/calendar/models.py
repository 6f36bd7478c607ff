"""The shapes of requests and answers about the calendar."""

from pydantic import Field

from parking_api.models import Body, Day, Reason


class YearOf(Body):
    """A year's days to be published, as a decision has them."""

    year: int
    holidays: tuple[Day, ...]
    makeup_workdays: tuple[Day, ...]


class NewYear(Body):
    """A year's holidays and make-up workdays (调休), as the State Council announces them."""

    holidays: tuple[Day, ...] = Field(max_length=366, examples=[["2027-01-01"]])
    makeup_workdays: tuple[Day, ...] = Field(max_length=366, examples=[[]])
    reason: Reason
