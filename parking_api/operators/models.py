"""The shapes of requests and answers about operators."""

from datetime import datetime

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


class NewCredentials(Answer):
    """How a gateway logs in from now on: at the broker, and over HTTP."""

    gateway_id: str = Field(description="Also its user name and client id.", examples=["gw-try"])
    password: str = Field(
        description="Shown this once: only a hash of it is kept.",
        examples=["gqT9yK1mSz3uXv0aBcDeFgHi"],
    )
    issued_at: datetime


class GatewayCredentials(Answer):
    """Whether a gateway can log in."""

    gateway_id: str = Field(examples=["gw-try"])
    has_password: bool
