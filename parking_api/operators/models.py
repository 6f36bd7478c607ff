"""The shapes of requests and answers about operators."""

from typing import Annotated

from pydantic import Field

from parking_api.models import Answer, Count, Name
from parking_api.paging import START, PageLimit
from parking_api.parameters import Id, Parameters


class OperatorsAsk(Parameters):
    """A page of operators."""

    limit: PageLimit = 100
    cursor: Annotated[Id | None, Field(description=START)] = None


class OperatorAnswer(Answer):
    """Who runs lots."""

    operator_id: str = Field(examples=["op-try"])
    name: Name
    lots: Count
    spaces: Count = Field(description="Spaces of all its lots, as they are registered.")
    gateways: Count
    gateways_with_credentials: Count = Field(
        description="Those that a password has been issued to: the others cannot report."
    )
