"""Every program of the platform, defined once: its command, environment, port and user.

The local run's supervisor configuration is made from these, and a test holds compose.yaml to them.
What differs between the two is a `Place`: addresses, paths, and how the servers are called.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from deploy import broker, listeners, postgres

# The file of the audit's seals.
SEALS: Final = "seals"


@dataclass(frozen=True)
class Secrets:
    """The platform's own passwords, and what it signs with; in compose, names of variables."""

    database_superuser: str
    database_owner: str
    mqtt_ingest: str
    mqtt_api: str
    mqtt_push: str
    database_app: str
    token: str
    digest: str
    database_ingest: str
    database_analysis: str
    database_logins: str
    database_seal: str
    database_public: str
    database_office: str

    @property
    def database(self) -> Mapping[str, str]:
        """The passwords of the database's roles."""
        return {
            postgres.OWNER: self.database_owner,
            postgres.APPLICATION: self.database_app,
            postgres.INGESTER: self.database_ingest,
            postgres.ANALYSIS: self.database_analysis,
            postgres.LOGINS: self.database_logins,
            postgres.SEAL: self.database_seal,
            postgres.PUBLIC: self.database_public,
            postgres.OFFICE: self.database_office,
        }


@dataclass(frozen=True)
class Address:
    """A server: where the others find it, what it binds, and on which port."""

    host: str
    port: int
    bind: str


@dataclass(frozen=True)
class Place:
    """Where the services run.

    Attributes:
        database: PostgreSQL's address.
        mqtt: The broker's plain listener.
        http: The API's address; of its public part where the two are apart.
        office: The address of the API's office where that is apart.
        ingest_metrics: The ingester's Prometheus address.
        postgres: How the PostgreSQL server is called, before its settings.
        postgres_configuration: The directory of postgresql.conf and pg_hba.conf.
        mosquitto: The broker's program.
        python: The interpreter.
        city: The directory of the city's files.
        credentials: The file of the gateways' passwords.
        broker_directory: The directory of the broker's passwd and acl.
        simulator_status: The file that the simulator writes its figures to.
        figures: The file of what the run counts of itself; None where nobody writes it.
        proxies: Networks of the reverse proxies before the API; None for none.
        mqtt_tls: The broker's listener with TLS.
        mqtt_mutual: The one where gateways log in by certificate; open where it is set up.
        authority: The directory of the demo's own authority.
        logins_status: The file that is touched in the broker's directory while its users are right.
        given_tls: The directory of certificates that are given; None for none.
        mqtt_names: What the broker is called by its clients.
        seal: The directory of the audit's seals and their key.
    """

    database: Address
    mqtt: Address
    http: Address
    ingest_metrics: Address
    postgres: tuple[str, ...]
    postgres_configuration: str
    mosquitto: str
    python: str
    city: str
    credentials: str
    broker_directory: str
    simulator_status: str
    figures: str | None = None
    proxies: str | None = None
    office: Address | None = None
    mqtt_tls: Address = Address("127.0.0.1", listeners.TLS_PORT, "127.0.0.1")
    mqtt_mutual: Address = Address("127.0.0.1", listeners.MUTUAL_PORT, "127.0.0.1")
    authority: str = "tls"
    logins_status: str = "logins.status"
    given_tls: str | None = None
    mqtt_names: tuple[str, ...] = ("localhost", "127.0.0.1")
    seal: str = "seal"

    @property
    def http_url(self) -> str:
        """The API's address as a URL."""
        return f"http://{self.http.host}:{self.http.port}"


@dataclass(frozen=True)
class Service:
    """One program.

    Attributes:
        name: In run.json, in the supervisor and in compose.yaml.
        command: Its arguments, the program first.
        port: Where it listens; None for a job or a client.
        environment: Its environment variables.
        stop_signal: The signal that ends it in good order, without `SIG`.
        stop_wait_s: Longest time it gets before it is killed.
        user: The system user it runs as when root starts it; None for the caller.
        more_ports: Further ports, by the name of their address.
    """

    name: str
    command: tuple[str, ...]
    port: int | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    stop_signal: str = "TERM"
    stop_wait_s: int = 2
    user: str | None = None
    more_ports: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def ports(self) -> Mapping[str, int]:
        """Where it listens, by the name of the address (`address`)."""
        return ({} if self.port is None else {self.name: self.port}) | dict(self.more_ports)


def database_url(place: Place, secrets: Secrets, role: str = postgres.APPLICATION) -> str:
    """Return a role's URL of the database; what may do what stands in sql/schema/grants.sql."""
    at = place.database
    return f"postgresql://{role}:{secrets.database[role]}@{at.host}:{at.port}/{postgres.DATABASE}"


def mqtt_url(place: Place, user: str, password: str) -> str:
    """Return a platform user's URL of the broker."""
    return f"mqtt://{user}:{password}@{place.mqtt.host}:{place.mqtt.port}"


_ADDRESSES: Final = {
    "database": "database",
    "broker": "mqtt",
    "broker-tls": "mqtt_tls",
    "broker-mutual": "mqtt_mutual",
    "ingester": "ingest_metrics",
    "api": "http",
}


def address(place: Place, name: str) -> Address:
    """Return where the service `name` is; the simulator is nowhere."""
    found: Address = getattr(place, _ADDRESSES[name])
    return found


def moved(place: Place, name: str, port: int) -> Place:
    """Return the place with the service `name` on another port."""
    # mypy cannot know which field it is.
    changed: dict[str, Any] = {_ADDRESSES[name]: replace(address(place, name), port=port)}
    return replace(place, **changed)


def database(place: Place) -> Service:
    """PostgreSQL with PostGIS; a fast shutdown is SIGINT."""
    at = place.database
    return Service(
        "database",
        (*place.postgres, *postgres.settings(place.postgres_configuration, at.bind, at.port)),
        at.port,
        stop_signal="INT",
        stop_wait_s=8,
        user=postgres.SYSTEM_USER,
    )


def mqtt_broker(place: Place) -> Service:
    """Mosquitto; its directory is the working directory."""
    return Service(
        "broker",
        broker.command(place.mosquitto),
        place.mqtt.port,
        user=broker.SYSTEM_USER,
        more_ports={"broker-tls": place.mqtt_tls.port, "broker-mutual": place.mqtt_mutual.port},
    )


def logins(place: Place, secrets: Secrets) -> Service:
    """The broker's users, kept as the database has them; as root it becomes the broker's user."""
    return Service(
        "logins",
        (
            *(place.python, "-m", "parking_api", "credentials", "--follow"),
            *("--broker-dir", place.broker_directory, "--status", place.logins_status),
        ),
        environment={"DATABASE_URL": database_url(place, secrets, postgres.LOGINS)},
    )


def seal(place: Place, secrets: Secrets) -> Service:
    """The audit's seals, one a minute; it makes their key at its first start."""
    return Service(
        "seal",
        (place.python, "-m", "parking_api", "audit", "seal", "--make"),
        environment={
            "DATABASE_URL": database_url(place, secrets, postgres.SEAL),
            "AUDIT_SEALS": f"{place.seal}/{SEALS}",
            "AUDIT_KEY": f"{place.seal}/key",
        },
    )


def ingester(place: Place, secrets: Secrets) -> Service:
    """MQTT in, committed state out."""
    return Service(
        "ingester",
        (place.python, "-m", "ingest_mqtt"),
        place.ingest_metrics.port,
        {
            "DATABASE_URL": database_url(place, secrets, postgres.INGESTER),
            "INGEST_MQTT_URL": mqtt_url(place, "platform-ingest", secrets.mqtt_ingest),
            "INGEST_DIGEST_KEY": secrets.digest,
            "INGEST_METRICS_HOST": place.ingest_metrics.bind,
            "INGEST_METRICS_PORT": str(place.ingest_metrics.port),
        },
    )


def api(place: Place, secrets: Secrets) -> tuple[Service, ...]:
    """The HTTP interface: one program, or its two parts, each with its own secrets."""
    office = database_url(place, secrets, postgres.OFFICE)
    for_anyone = {
        "DATABASE_URL": database_url(place, secrets, postgres.PUBLIC),
        "API_MQTT_URL": mqtt_url(place, "platform-api", secrets.mqtt_api),
        "API_PUSH_URL": mqtt_url(place, "platform-push", secrets.mqtt_push),
        # The rest of the city runs on the same cores.
        "API_WORKERS": "2",
    }
    signing = {"API_TOKEN_SECRET": secrets.token}
    if place.office is None:
        both = for_anyone | signing | {"API_OFFICE_DATABASE_URL": office}
        return (_api_part("api", place, place.http, both),)
    for_office = {"DATABASE_URL": office, **signing, "API_WORKERS": "1"}
    return (
        _api_part("api", place, place.http, for_anyone, "--part", "public"),
        _api_part("office", place, place.office, for_office, "--part", "office"),
    )


def _api_part(
    name: str, place: Place, at: Address, environment: Mapping[str, str], *options: str
) -> Service:
    own = {"API_HOST": at.bind, "API_PORT": str(at.port), **environment}
    if place.figures is not None:
        own["API_RUN_FIGURES"] = place.figures
    if place.proxies is not None:
        own["API_PROXIES"] = place.proxies
    return Service(
        name,
        (place.python, "-m", "parking_api", "serve", *options),
        at.port,
        own,
        # It waits 3 s for answers that are under way.
        stop_wait_s=4,
    )


@dataclass(frozen=True)
class Drivers:
    """How the simulated drivers and sensors are; as options of `simulators run`.

    Attributes:
        speed: The drivers' time over the wall clock's.
        start: Their first instant, or `now`.
        profile: How often sensors, clocks and connections fail.
        truth: The directory that what is true is written into; None: nowhere.
        prices_since: The day since which changes of prices count; None: drivers do not look.
    """

    speed: str = "1"
    start: str = "now"
    profile: str = "normal"
    truth: str | None = None
    prices_since: str | None = None


NOW: Final = Drivers()
"""Drivers who come and go in real time."""


def simulator(place: Place, drivers: Drivers) -> Service:
    """The city's gateways."""
    return Service(
        "simulator",
        (
            *(place.python, "-m", "simulators", "run", "--city", place.city),
            *("--credentials", place.credentials),
            *("--mqtt-host", place.mqtt.host, "--mqtt-port", str(place.mqtt.port)),
            *("--speed", drivers.speed, "--start", drivers.start),
            *("--profile", drivers.profile),
            *("--platform", place.http_url),
            *(("--prices-since", drivers.prices_since) if drivers.prices_since else ()),
            *(("--truth", drivers.truth) if drivers.truth else ()),
            *("--status", place.simulator_status),
        ),
    )


def services(place: Place, secrets: Secrets, drivers: Drivers = NOW) -> tuple[Service, ...]:
    """Return the long-running programs in the order they start; they stop the other way round."""
    return (
        database(place),
        mqtt_broker(place),
        logins(place, secrets),
        seal(place, secrets),
        ingester(place, secrets),
        *api(place, secrets),
        simulator(place, drivers),
    )


def migration(place: Place, secrets: Secrets) -> Service:
    """Bring the database's schema to the newest revision, as its owner."""
    return Service(
        "migration",
        (place.python, "-m", "sql", "upgrade"),
        environment={"DATABASE_URL": database_url(place, secrets, postgres.OWNER)},
    )


def city_files(place: Place, directory: str, lots: str | None) -> Service:
    """Build the city's files into `directory`."""
    options = ("--lots", lots) if lots else ()
    return Service("city", (place.python, "-m", "simulators", "city", directory, *options))


def city_import(place: Place, secrets: Secrets) -> Service:
    """Load the city's files into the database."""
    return Service(
        "import",
        (place.python, "-m", "parking_api", "import", place.city),
        environment={"DATABASE_URL": database_url(place, secrets)},
    )


# Whatever else runs comes first.
_LAST: Final = ("nice", "-n", "19")


def history_files(place: Place, directory: str, start: datetime, end: datetime) -> Service:
    """Write the simulated city's past into `directory`, at the lowest priority."""
    span = ("--from", start.isoformat(), "--to", end.isoformat())
    command = (place.python, "-m", "simulators", "history", directory, "--city", place.city)
    return Service("history", (*_LAST, *command, *span))


def history_import(place: Place, secrets: Secrets, directory: str) -> Service:
    """Load such files into the database, at the lowest priority."""
    command = (place.python, "-m", "parking_api", "import", "--history", directory)
    environment = {"DATABASE_URL": database_url(place, secrets)}
    return Service("history", (*_LAST, *command), environment=environment)


def gateway_credentials(place: Place, secrets: Secrets) -> Service:
    """Give each gateway a password; write the broker's users and what each may do."""
    return Service(
        "credentials",
        (
            *(place.python, "-m", "parking_api", "credentials"),
            *("--file", place.credentials, "--broker-dir", place.broker_directory),
        ),
        environment={
            "DATABASE_URL": database_url(place, secrets),
            "PLATFORM_INGEST_PASSWORD": secrets.mqtt_ingest,
            "PLATFORM_API_PASSWORD": secrets.mqtt_api,
            "PLATFORM_PUSH_PASSWORD": secrets.mqtt_push,
        },
    )


def broker_listeners(place: Place) -> Service:
    """Write the broker's listeners and certificates, where the broker is not prepared by us."""
    given = ("--given", place.given_tls) if place.given_tls else ()
    return Service(
        "listeners",
        (
            *(place.python, "-m", "deploy.listeners", "--broker-dir", place.broker_directory),
            *("--authority", place.authority, "--bind", place.mqtt.bind),
            *(*given, *place.mqtt_names),
        ),
    )


def first_people(place: Place, secrets: Secrets) -> Service:
    """Make one person of each role where nobody is there, with a key in the file of credentials."""
    return _people("bootstrap", place, secrets, "--if-nobody")


def recovered_people(place: Place, secrets: Secrets) -> Service:
    """Give those a new key who have none in the file, because it is gone, or the key has ended."""
    return _people("recover", place, secrets)


def _people(action: str, place: Place, secrets: Secrets, *options: str) -> Service:
    """Run a command that makes keys, as the database's owner."""
    return Service(
        "people",
        (
            *(place.python, "-m", "parking_api", "people", action, *options),
            *("--demo", "--file", place.credentials),
        ),
        environment={"DATABASE_URL": database_url(place, secrets, postgres.OWNER)},
    )
