"""What an operator of the platform can set."""

from typing import Annotated

from pydantic import Field, UrlConstraints
from pydantic_core import Url
from pydantic_settings import BaseSettings, SettingsConfigDict

MqttUrl = Annotated[Url, UrlConstraints(allowed_schemes=["mqtt"], host_required=True)]


class IngestSettings(BaseSettings):
    """Environment variables `INGEST_*`; the database is `DATABASE_URL`."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True, extra="forbid")

    mqtt_url: MqttUrl = Field(description="mqtt://user:password@host:port; also the client id")
    metrics_host: str = Field("127.0.0.1", description="where Prometheus finds the counters")
    metrics_port: int = Field(9100, ge=0, le=65535, description="0 picks a free port")
    batch_messages: int = Field(1000, ge=1, le=10_000, description="most messages a commit")
    linger_ms: float = Field(4.0, ge=0, le=1000, description="wait for more before a commit")
    session_expiry_s: int = Field(
        7 * 86_400, ge=60, description="how long the broker keeps our messages while we are away"
    )
    event_retention_days: int = Field(30, ge=1, description="single changes are kept this long")
    occupancy_retention_days: int = Field(400, ge=1, description="5-minute steps, likewise")
