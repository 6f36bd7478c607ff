"""The local run: free ports on loopback, paths below `var/`, the distribution's servers."""

import sys
from pathlib import Path
from typing import Final

from deploy import broker, postgres
from deploy.accounts import HELD, server_account
from deploy.directory import Directory
from deploy.ports import LOOPBACK, next_free
from deploy.services import (
    DATABASE_PORT,
    HTTP_PORT,
    INGEST_METRICS_PORT,
    MQTT_PORT,
    Address,
    Place,
    Service,
)
from deploy.supervision import Program

# The checkout: the Python programs run in it.
SOURCE: Final = Path(__file__).resolve().parent.parent


def local_place(var: Directory) -> Place:
    """Choose ports and paths for a run below `var`; the cluster is made before."""
    taken: list[int] = []
    for wanted in (DATABASE_PORT, MQTT_PORT, HTTP_PORT, INGEST_METRICS_PORT):
        taken.append(next_free(wanted, taken))
    database, mqtt, http, metrics = (Address(LOOPBACK, port, LOOPBACK) for port in taken)
    return Place(
        database=database,
        mqtt=mqtt,
        http=http,
        ingest_metrics=metrics,
        postgres=postgres.server(var.postgres),
        postgres_configuration=HELD,
        mosquitto=broker.command(),
        python=sys.executable,
        city=str(var.city),
        credentials=str(var.credentials),
        broker_directory=str(var.broker),
        simulator_status=str(var.simulator_status),
    )


def local_program(service: Service, var: Directory) -> Program:
    """Wrap a service's command for its system user and its directory."""
    if service.name == "database":
        account = server_account(postgres.SYSTEM_USER)
        argv = account.holding(var.postgres, service.command, service.stop_signal)
    elif service.name == "broker":
        account = server_account(broker.SYSTEM_USER)
        argv = account.inside(var.broker, service.command, service.stop_signal)
    else:
        dying = ("setpriv", "--pdeathsig", service.stop_signal, "--")
        argv = (*dying, *service.command)
    return Program(service, argv)
