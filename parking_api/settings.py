"""The API's settings: environment variables `API_*`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, UrlConstraints
from pydantic_core import Url
from pydantic_settings import BaseSettings, SettingsConfigDict

MqttUrl = Annotated[Url, UrlConstraints(allowed_schemes=["mqtt"], host_required=True)]


class ApiSettings(BaseSettings):
    """Environment variables `API_*`; the database is `DATABASE_URL`."""

    model_config = SettingsConfigDict(env_prefix="API_", frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="processes that share the port. Only the first follows the broker, which "
        "accepts one client of this name; the others read their copies every "
        "API_RELOAD_INTERVAL_S. /metrics has the figures of the process that answers",
    )
    mqtt_url: MqttUrl | None = Field(
        None,
        description="mqtt://user:password@host:port; without it, the copy of the city in memory "
        "follows the database alone",
    )
    pool_size: int = Field(8, ge=1, le=100, description="most database connections")
    acquire_timeout_s: float = Field(
        1.0, gt=0, le=30, description="longest wait for a connection before the answer is degraded"
    )
    query_timeout_s: float = Field(5.0, gt=0, le=60, description="longest wait for a query")
    reload_interval_s: float = Field(
        30.0, gt=0, le=3600, description="seconds between two readings of the city into memory"
    )
    run_figures: Path | None = Field(
        None,
        description="a file in Prometheus' text format; its metrics `onelot_run_*`, such as "
        "restarts of programs, are added to /metrics",
    )
    max_connections: int = Field(
        800,
        ge=1,
        le=100_000,
        description="most HTTP connections; below the limit of open files, which is often 1024",
    )
    head_timeout_s: float = Field(
        5.0, gt=0, le=60, description="longest time for a request's line and headers"
    )
    body_timeout_s: float = Field(
        30.0, gt=0, le=600, description="longest time for a request's body"
    )
    idle_timeout_s: int = Field(
        75,
        ge=1,
        le=600,
        description="how long a connection stays open between two requests, unless others need its "
        "place",
    )
    token_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="the key that signs the tokens of POST /v1/tokens; without it, each start "
        "makes one, and tokens end with the process",
    )
