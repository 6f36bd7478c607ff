"""compose.yaml against the local run's services: commands, ports, settings, users."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import broker
from deploy.services import (
    SEALS,
    Address,
    Drivers,
    Place,
    Secrets,
    Service,
    broker_listeners,
    city_files,
    city_import,
    first_people,
    gateway_credentials,
    migration,
    recovered_people,
    services,
)

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
STATE = "/var/lib/onelot"
PLACE = Place(
    database=Address("database", 5432, "*"),
    mqtt=Address("broker", 1883, "0.0.0.0"),  # noqa: S104 - inside the compose network
    http=Address("api", 8000, "0.0.0.0"),  # noqa: S104
    ingest_metrics=Address("ingester", 9100, "0.0.0.0"),  # noqa: S104
    postgres=("postgres",),
    postgres_configuration="/etc/onelot",
    mosquitto="mosquitto",
    python="python",
    city=f"{STATE}/city/files",
    credentials=f"{STATE}/city/credentials.json",
    broker_directory=f"{STATE}/broker",
    simulator_status="/tmp/simulator.json",
    proxies="10.79.0.10/32",
    office=Address("office", 8001, "0.0.0.0"),  # noqa: S104
    authority=f"{STATE}/city/tls",
    given_tls="/etc/onelot/tls",
    mqtt_names=("${ONELOT_MQTT_NAMES:-broker localhost}",),
    seal=f"{STATE}/seal",
)
SECRETS = Secrets(
    database_superuser="${ONELOT_DB_SUPERUSER_PASSWORD:?}",
    database_owner="${ONELOT_DB_PASSWORD:?}",
    mqtt_ingest="${ONELOT_MQTT_INGEST_PASSWORD:?}",
    mqtt_api="${ONELOT_MQTT_API_PASSWORD:?}",
    mqtt_push="${ONELOT_MQTT_PUSH_PASSWORD:?}",
    database_app="${ONELOT_DB_APP_PASSWORD:?}",
    token="${ONELOT_TOKEN_SECRET:?}",
    digest="${ONELOT_DIGEST_KEY:?}",
    database_ingest="${ONELOT_DB_INGEST_PASSWORD:?}",
    database_analysis="${ONELOT_DB_ANALYSIS_PASSWORD:?}",
    database_logins="${ONELOT_DB_LOGINS_PASSWORD:?}",
    database_seal="${ONELOT_DB_SEAL_PASSWORD:?}",
    database_public="${ONELOT_DB_PUBLIC_PASSWORD:?}",
    database_office="${ONELOT_DB_OFFICE_PASSWORD:?}",
)
SERVICES = services(
    PLACE,
    SECRETS,
    Drivers("${ONELOT_SPEED:-1}", "${ONELOT_START:-now}", "${ONELOT_PROFILE:-normal}"),
)
JOBS = (
    city_files(PLACE, f"{STATE}/city/files.new", "${ONELOT_LOTS:-1670}"),
    city_import(PLACE, SECRETS),
    gateway_credentials(PLACE, SECRETS),
    broker_listeners(PLACE),
)
PEOPLE = (first_people(PLACE, SECRETS), recovered_people(PLACE, SECRETS))


def container(name: str) -> dict[str, Any]:
    found: dict[str, Any] = COMPOSE["services"][name]
    return found


def test_every_service_and_step_is_there_and_nothing_else() -> None:
    expected = {service.name for service in SERVICES} | {"migration", "city", "people", "proxy"}
    assert set(COMPOSE["services"]) == expected


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_service_runs_the_same_command_on_the_same_port(service: Service) -> None:
    there = container(service.name)
    assert tuple(there["command"]) == service.command
    # For this host alone: what operations looks at. What is encrypted is for everybody.
    published = (
        [f"127.0.0.1:{service.port}:{service.port}"]
        if service.name in {"api", "office", "ingester"}
        else []
    )
    published += [f"{port}:{port}" for port in service.more_ports.values()]
    assert there.get("ports", []) == published
    assert there["stop_grace_period"] == f"{service.stop_wait_s}s"
    assert there.get("stop_signal", "SIGTERM") == f"SIG{service.stop_signal}"
    assert there["healthcheck"]["test"]


@pytest.mark.parametrize("service", SERVICES[2:], ids=lambda service: service.name)
def test_program_is_told_the_same_settings(service: Service) -> None:
    assert container(service.name).get("environment", {}) == dict(service.environment)


def test_migration_is_the_local_one() -> None:
    job = migration(PLACE, SECRETS)
    assert tuple(container("migration")["command"]) == job.command
    assert container("migration")["environment"] == dict(job.environment)


@pytest.mark.parametrize(("name", "jobs"), [("city", JOBS), ("people", PEOPLE)])
def test_jobs_are_the_local_ones_in_their_order(name: str, jobs: tuple[Service, ...]) -> None:
    script = container(name)["command"][-1]
    lines = [line.strip() for line in script.splitlines()]
    commands = [shlex.join(job.command).replace("'", "") for job in jobs]
    assert [line for line in lines if line.startswith("python")] == commands
    told = {name: value for job in jobs for name, value in job.environment.items()}
    assert container(name)["environment"] == told


def test_servers_use_the_local_configuration_files() -> None:
    database = container("database")["volumes"]
    for name in ("postgresql.conf", "pg_hba.conf"):
        assert f"./deploy/{name}:{PLACE.postgres_configuration}/{name}:ro" in database
    server = container("broker")
    assert server["working_dir"] == PLACE.broker_directory
    for name in (broker.SCRIPT, broker.CONFIGURATION):
        mount = f"./deploy/{name}:{PLACE.broker_directory}/{name}:ro"
        assert mount in server["volumes"]


def test_the_api_believes_the_proxy_alone() -> None:
    there = container("proxy")
    assert f"{there['networks']['front']['ipv4_address']}/32" == PLACE.proxies
    upstream = (ROOT / "deploy/nginx/upstream.conf").read_text()
    assert PLACE.office
    for part in (PLACE.http, PLACE.office):
        assert f"server {part.host}:{part.port};" in upstream
    listens = (ROOT / "deploy/nginx/listen.conf").read_text()
    (port,) = re.findall(r"listen (\d+) ssl", listens)
    assert there["ports"] == [f"443:{port}"]
    assert "./deploy/nginx:/etc/onelot/nginx:ro" in there["volumes"]
    assert there["command"] == ["nginx", "-p", "/tmp/", "-c", "/etc/onelot/nginx/nginx.conf"]
    joined = {name: container(name).get("networks", ()) for name in COMPOSE["services"]}
    assert {name for name, networks in joined.items() if "front" in networks} == {
        "api",
        "office",
        "proxy",
    }


def test_only_what_is_published_has_a_network_with_a_way_out() -> None:
    assert COMPOSE["networks"]["default"] == {"internal": True}
    outside = {
        name
        for name in COMPOSE["services"]
        if set(container(name).get("networks", ("default",))) - {"default"}
    }
    assert outside == {name for name in COMPOSE["services"] if "ports" in container(name)}
    assert outside == {"api", "office", "broker", "ingester", "proxy"}


def test_processes_are_bounded_and_roots_are_read_only() -> None:
    for name in COMPOSE["services"]:
        there = container(name)
        assert 0 < there["pids_limit"] <= 256, name
        assert there["read_only"], name
        assert there["security_opt"] == ["no-new-privileges:true"], name


def test_every_image_can_be_named_by_its_digest() -> None:
    for name in COMPOSE["services"]:
        image = container(name)["image"]
        assert image == "onelot:0.1.0" or re.fullmatch(r"\$\{ONELOT_\w+_IMAGE:-\S+\}", image), name
    used = re.findall(r"^FROM (\S+)", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert set(used) == {"${PYTHON_IMAGE}"}
    assert "PYTHON_IMAGE" in container("api")["build"]["args"]


def test_what_the_image_is_built_from_is_there() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    names = {name for line in copied for name in line.split()} - {"."}
    assert {"parking_api/web", "deploy/node-requirements.txt"} <= names
    for name in names:
        assert (ROOT / name).exists(), name
        assert {f"!{name}", f"!{name.partition('/')[0]}"} & set(ignored), name
    # What this machine has built stays here: the image has the pages of its own stage.
    assert {"parking_api/web/node_modules", "parking_api/web/dist"} <= set(ignored)
    assert "COPY --from=web /srv/web/dist /srv/onelot/parking_api/web/dist" in dockerfile


def test_nothing_runs_as_root_or_keeps_a_secret_in_the_file() -> None:
    for name in COMPOSE["services"]:
        there = container(name)
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", there["user"]), name
        assert there["cap_drop"] == ["ALL"], name
        for key, value in there.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|URL", key):
                assert re.search(r"\$\{ONELOT_\w+:\?\}", value), f"{name}: {key}"


def test_every_variable_is_documented() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    documented = (ROOT / "deploy/.env.example").read_text()
    assert used == set(re.findall(r"^(\w+)=", documented, re.MULTILINE))


def test_volumes_are_named() -> None:
    for name in COMPOSE["services"]:
        for volume in container(name).get("volumes", []):
            holder = volume.split(":")[0]
            assert holder.startswith("./deploy/") or holder in COMPOSE["volumes"]


def test_the_audits_key_and_seals_are_in_a_volume_of_their_own() -> None:
    mounts = {
        name: [one.split(":") for one in container(name).get("volumes", [])]
        for name in COMPOSE["services"]
    }
    assert mounts["seal"] == [["seal", PLACE.seal]]
    assert [name for name in mounts if any(one[0] == "seal" for one in mounts[name])] == ["seal"]
    passwords = [
        name
        for name in COMPOSE["services"]
        if "ONELOT_DB_SEAL_PASSWORD" in str(container(name).get("environment", {}))
    ]
    assert passwords == ["database", "seal"]
    assert f'"{PLACE.seal}/{SEALS}"' in container("seal")["healthcheck"]["test"][-1]


def test_everything_waits_for_what_it_needs() -> None:
    needs = {name: set(container(name).get("depends_on", {})) for name in COMPOSE["services"]}
    assert needs["migration"] == {"database"}
    assert needs["city"] == {"migration"}
    # Nothing waits for the people: whoever asks does.
    assert needs["people"] == {"city"}
    # The others wait for each other by themselves, whichever starts or falls first.
    for name in ("broker", "logins", "seal", "ingester", "api", "office", "simulator"):
        assert needs[name] == {"city"}, name
    assert needs["proxy"] == {"api", "office"}


def test_what_runs_for_long_starts_again_and_all_memory_is_limited() -> None:
    limits = {name: container(name)["mem_limit"] for name in COMPOSE["services"]}
    megabytes = {name: int(limit.removesuffix("m")) for name, limit in limits.items()}
    long_running = [*(service.name for service in SERVICES), "proxy"]
    assert {container(name)["restart"] for name in long_running} == {"unless-stopped"}
    assert sum(megabytes[name] for name in long_running) <= 3 * 1024
    assert all(megabytes.values())


def test_each_health_check_asks_its_own_service() -> None:
    for service in (one for one in SERVICES if one.port):
        words = " ".join(container(service.name)["healthcheck"]["test"])
        assert "127.0.0.1" in words
        assert str(service.port) in words
