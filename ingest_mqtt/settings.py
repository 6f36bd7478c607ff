"""The ingester's settings: environment variables `INGEST_*`."""

from typing import Annotated

from pydantic import Field, SecretStr, UrlConstraints
from pydantic_core import Url
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest_mqtt.rates import RECONNECT_MESSAGES, Rates

MqttUrl = Annotated[Url, UrlConstraints(allowed_schemes=["mqtt"], host_required=True)]


class IngestSettings(BaseSettings):
    """Environment variables `INGEST_*`; the database is `DATABASE_URL`."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True, extra="forbid")

    mqtt_url: MqttUrl = Field(description="mqtt://user:password@host:port; also the client id")
    metrics_host: str = Field("127.0.0.1", description="where Prometheus finds the counters")
    metrics_port: int = Field(9100, ge=0, le=65535, description="0 picks a free port")
    batch_messages: int = Field(1000, ge=1, le=10_000, description="most messages in a commit")
    linger_ms: float = Field(4.0, ge=0, le=1000, description="wait for more before a commit")
    receive_maximum: int = Field(
        500, ge=20, le=4000, description="most messages taken from the broker and not yet committed"
    )
    session_expiry_s: int = Field(
        7 * 86_400, ge=60, description="how long the broker keeps our messages while we are away"
    )
    event_retention_days: int = Field(30, ge=1, description="single changes are kept this long")
    dead_letter_retention_days: int = Field(
        30, ge=1, description="refused messages are kept this long"
    )
    dead_letter_quota: int = Field(
        10_000, ge=0, description="most refused messages to keep of a gateway in a day"
    )
    digest_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="key of the digests of refused messages; without it, each start makes one, and "
        "keeps a message again that was kept before",
    )
    gateway_messages_per_s: float = Field(
        20.0, ge=20, description="what any gateway may send; beyond it, messages are deferred"
    )
    gateway_burst: float = Field(100.0, ge=100, description="messages at once from any gateway")
    lot_messages_per_s: float = Field(
        5.0, ge=0, description="what a gateway may send for each of its lots, where that is more"
    )
    lot_burst: float = Field(
        40.0,
        ge=RECONNECT_MESSAGES,
        description="messages at once for each of its lots, where that is more",
    )
    message_bytes: float = Field(
        8192.0, ge=1024, description="bytes that each message of these rates may have on average"
    )
    drop_at: float = Field(
        10.0, ge=10, description="above so many times these rates, messages are dropped"
    )
    occupancy_retention_days: int = Field(
        400, ge=1, description="steps of occupancy are kept this long"
    )

    def rates(self) -> Rates:
        """Return the rates that gateways may send at."""
        return Rates(
            messages_per_s=self.gateway_messages_per_s,
            burst=self.gateway_burst,
            lot_messages_per_s=self.lot_messages_per_s,
            lot_burst=self.lot_burst,
            message_bytes=self.message_bytes,
            drop_at=self.drop_at,
        )
