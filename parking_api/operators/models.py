"""The shapes of requests and answers about operators."""

from pydantic import Field

from parking_api.models import Answer, Count, StoredName


class OperatorAnswer(Answer):
    """Who runs lots."""

    operator_id: str = Field(examples=["op-try"])
    name: StoredName
    lots: Count
    spaces: Count = Field(description="Spaces of all its lots, as they are registered.")
    gateways: Count
    gateways_with_credentials: Count = Field(
        description="Those that a password has been issued to: the others cannot report."
    )
