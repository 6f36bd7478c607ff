"""The API's settings: environment variables `API_*`, and `WEB_*` for its pages."""

import os
import re
import secrets
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from limits import RateLimitItem, parse_many
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    InstanceOf,
    IPvAnyNetwork,
    SecretStr,
    UrlConstraints,
    model_validator,
)
from pydantic_core import Url
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _parts(given: object) -> object:
    if not isinstance(given, str):
        return given
    return [part.strip() for part in given.split(",") if part.strip()]


def _limits(given: object) -> object:
    return tuple(parse_many(given)) if given and isinstance(given, str) else given or ()


# `192.0.2.0/24,2001:db8::/32`; empty for none.
Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_parts)]
Limits = Annotated[tuple[InstanceOf[RateLimitItem], ...], NoDecode, BeforeValidator(_limits)]
MqttUrl = Annotated[Url, UrlConstraints(allowed_schemes=["mqtt", "mqtts"], host_required=True)]

# So many names the broker knows: `parking_api.operators.broker_files`.
MOST_WORKERS = 16
# A worker and the one that replaces it serve beside each other for a while.
LANES = 2

# A source in a Content-Security-Policy: nothing in it may end it.
_ORIGIN: Final = re.compile(
    r"https?://([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.?)+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d+)?"
)
_OF_TILES: Final = ("{z}", "{x}", "{y}")


def _address(given: str) -> str:
    if given == "":
        return given
    if _ORIGIN.fullmatch(_origin(given)) is None or not given.isprintable() or " " in given:
        message = "WEB_BASEMAP is as https://HOST/style.json, or as https://HOST/{z}/{x}/{y}.png"
        raise ValueError(message)
    if 0 < sum(part in given for part in _OF_TILES) < len(_OF_TILES):
        message = "WEB_BASEMAP has {z}, {x} and {y} for tiles, and none of them for a style"
        raise ValueError(message)
    return given


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.lower()}"


class WebSettings(BaseSettings):
    """Environment variables `WEB_*`."""

    model_config = SettingsConfigDict(env_prefix="WEB_", frozen=True, extra="forbid")

    basemap: Annotated[str, AfterValidator(_address)] = Field(
        "",
        description="the map below the lots: address of a MapLibre style, or of raster tiles with "
        "{z}, {x} and {y} in it. Style, tiles and sprite come from one host. Without it, the "
        "ground is that of the platform's own districts",
    )
    basemap_system: Literal["wgs84", "gcj02"] = Field(
        "wgs84", description="the coordinates that the basemap is drawn in"
    )

    @model_validator(mode="after")
    def _system_of_a_map(self) -> Self:
        if self.basemap_system != "wgs84" and not self.basemap:
            message = "WEB_BASEMAP_SYSTEM is of a basemap: give WEB_BASEMAP too"
            raise ValueError(message)
        return self

    @property
    def basemap_origin(self) -> str | None:
        """The one other host that the page for drivers may ask; None without a basemap."""
        return _origin(self.basemap) if self.basemap else None


class ApiSettings(BaseSettings):
    """Environment variables `API_*`; the database is `DATABASE_URL`."""

    model_config = SettingsConfigDict(env_prefix="API_", frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535)
    metrics_host: str = Field("127.0.0.1", description="address of /metrics, with API_METRICS_PORT")
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="port of /metrics, which the other port then does not have; without it, "
        "/metrics is at API_PORT",
    )
    part: Literal["all", "public", "office"] = Field(
        "all",
        description="which part of the API this is, each by a role of its own in DATABASE_URL: "
        "`public` answers anyone, `office` whoever shows a key or token too; `all` is both",
    )
    office_database_url: SecretStr | None = Field(
        None,
        description="postgresql://... by the office's role, for `all`; without it, the office's "
        "is DATABASE_URL too",
    )
    workers: int = Field(
        default_factory=lambda: min(len(os.sched_getaffinity(0)), MOST_WORKERS),
        ge=1,
        le=MOST_WORKERS,
        description="processes that share the port. The first follows the broker under the name in "
        "API_MQTT_URL, the others under the same with -2, -3, ... added, by the same password. "
        "One a core, unless given. /metrics is over all of them",
    )
    mqtt_url: MqttUrl | None = Field(
        None,
        description="mqtt://user:password@host:port, or mqtts:// for TLS; without it, the copy "
        "of the city in memory follows the database alone",
    )
    mqtt_ca: FilePath | None = Field(
        None,
        description="a file of the authorities that may sign the broker's certificate; without it, "
        "the system's",
    )
    push_url: MqttUrl | None = Field(
        None,
        description="mqtt://user:password@host:port of the user that hands on what gateways post; "
        "each process has a name of its own, as with API_MQTT_URL. Without it, posts of gateways "
        "are answered with 503",
    )
    pusher: int = Field(
        1,
        ge=1,
        le=LANES * MOST_WORKERS,
        description="the number that goes with the name in API_PUSH_URL; `serve` counts its "
        "processes itself",
    )
    pool_size: int = Field(
        8, ge=1, le=100, description="most database connections of the public part"
    )
    office_pool_size: int = Field(
        4, ge=1, le=100, description="most database connections of the office"
    )
    acquire_timeout_s: float = Field(
        1.0, gt=0, le=30, description="longest wait for a connection before the answer is degraded"
    )
    query_timeout_s: float = Field(
        5.0, gt=0, le=60, description="longest wait for a query, of jobs and of what people change"
    )
    read_timeout_s: float = Field(
        1.0, gt=0, le=60, description="longest that a statement of another request may take"
    )
    reload_interval_s: float = Field(
        30.0, gt=0, le=3600, description="seconds between two readings of the city into memory"
    )
    run_figures: Path | None = Field(
        None,
        description="a file in Prometheus' text format; its metrics `onelot_run_*`, such as "
        "restarts of programs, are added to /metrics",
    )
    access_log: bool = Field(
        default=False,
        description="a line for each request; without it, for those alone that are refused or "
        "fail. /metrics counts all",
    )
    max_connections: int = Field(
        800,
        ge=1,
        le=100_000,
        description="most HTTP connections; below the limit of open files, which is often 1024",
    )
    max_readers: int = Field(
        400,
        ge=0,
        le=50_000,
        description="most readers of /v1/stream in each process; never more than half of its "
        "connections",
    )
    client_limits: Limits = Field(
        "100/second",
        validate_default=True,
        description="requests that one client may make, over all processes, as the library "
        "`limits` writes it: `100/second;3000/minute`. Empty for no limit",
    )
    client_connections: int = Field(
        200, ge=1, description="most connections of one client, in each process"
    )
    client_readers: int = Field(
        50, ge=0, description="most readers of /v1/stream of one client, in each process"
    )
    exempt: Networks = Field(
        "127.0.0.0/8,::1/128",
        validate_default=True,
        description="networks of clients without limits, with commas",
    )
    proxies: Networks = Field(
        (),
        description="networks of the reverse proxies whose X-Forwarded-For is believed, with "
        "commas; without, the header is not looked at",
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
    token_secret: SecretStr = Field(
        default_factory=lambda: SecretStr(secrets.token_urlsafe(32)),
        min_length=32,
        description="the key that signs the tokens of POST /v1/tokens; without it, each start "
        "makes one, and tokens end with the process",
    )

    web: WebSettings = Field(
        default_factory=WebSettings, description="those of the pages: environment `WEB_*`"
    )
    key_lifetime_days: int = Field(
        365, ge=1, le=3650, description="days after which an API key ends by itself, at the latest"
    )

    @property
    def key_lifetime(self) -> timedelta:
        """How long a key is good, at most."""
        return timedelta(days=self.key_lifetime_days)

    def office_url(self, database_url: str) -> str | None:
        """Return the database of the office; None where there is no office.

        Args:
            database_url: The database of the part.
        """
        if self.part == "public":
            return None
        if self.part == "office" or self.office_database_url is None:
            return database_url
        return self.office_database_url.get_secret_value()

    @property
    def most_readers(self) -> int:
        """Readers of `/v1/stream` that one process takes: others must be able to connect."""
        return min(self.max_readers, self.max_connections // 2)

    def of_worker(self, place: int, lane: int = 0) -> Self:
        """Return the settings of one of the workers: each has names of its own at the broker.

        Args:
            place: Its place among the workers, from 0.
            lane: 0 or 1: a worker and the one that replaces it differ in it. Both are at the
                broker while the one takes over from the other.
        """
        number = 1 + place + MOST_WORKERS * lane
        own = {
            "mqtt_url": _numbered(self.mqtt_url, number),
            "push_url": _numbered(self.push_url, number),
            "pusher": number,
        }
        return self.model_copy(update=own)


def tls(url: MqttUrl, authorities: Path | None) -> ssl.SSLContext | None:
    """Return how the broker's certificate is checked; None where the URL asks for no TLS.

    Args:
        url: `mqtt://` or `mqtts://`.
        authorities: A file of those who may have signed it; None for the system's.
    """
    if url.scheme != "mqtts":
        return None
    return ssl.create_default_context(cafile=authorities)


def mqtt_port(url: MqttUrl) -> int:
    """Return the port of a URL, or the usual one."""
    return url.port or (8883 if url.scheme == "mqtts" else 1883)


def _numbered(url: MqttUrl | None, number: int) -> MqttUrl | None:
    """Return the URL with a number added to the user's name, unless it is the first."""
    if url is None or number == 1:
        return url
    return Url.build(
        scheme=url.scheme,
        username=f"{url.username}-{number}",
        password=url.password,
        host=url.host or "",
        port=url.port,
    )
