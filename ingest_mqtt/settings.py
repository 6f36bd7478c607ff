"""The ingester's settings: environment variables `INGEST_*`."""

from typing import Annotated

from pydantic import Field, FilePath, SecretStr, UrlConstraints
from pydantic_core import Url
from pydantic_settings import BaseSettings

from ingest_mqtt.rates import Rates

MqttUrl = Annotated[Url, UrlConstraints(allowed_schemes=["mqtt", "mqtts"], host_required=True)]


class IngestSettings(BaseSettings, Rates, env_prefix="INGEST_", frozen=True, extra="forbid"):
    """Environment variables `INGEST_*`; the database is `DATABASE_URL`."""

    mqtt_url: MqttUrl = Field(
        description="mqtt://user:password@host:port, or mqtts:// for TLS; the user is also the "
        "client id"
    )
    mqtt_ca: FilePath | None = Field(
        None,
        description="a file of the authorities that may sign the broker's certificate; without it, "
        "the system's",
    )
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
    occupancy_retention_days: int = Field(
        400, ge=1, description="steps of occupancy are kept this long"
    )
    pack_after_days: int = Field(
        3, ge=2, description="days of occupancy older than this are packed, an array a lot and day"
    )
