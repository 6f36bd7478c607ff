"""The local run: free ports on loopback, paths below `var/`, the distribution's servers."""

import os
import sys
from pathlib import Path
from typing import Final

from deploy import broker, leftovers, postgres
from deploy.accounts import HELD, program, server_account
from deploy.configuration import Program
from deploy.directory import Directory
from deploy.keeper import Layout
from deploy.listeners import Encrypted
from deploy.ports import LOOPBACK
from deploy.services import Address, Drivers, Place, Secrets, Service, services

# The setting of `make demo` that names a directory of certificates for the broker.
GIVEN_TLS: Final = "ONELOT_TLS"
# The checkout: the Python programs run in it.
SOURCE: Final = Path(__file__).resolve().parent.parent


def local_place(var: Directory) -> Place:
    """Return the usual ports, and the paths of a run below `var`; the cluster is made before.

    A port that is taken is stepped over when its service starts (deploy/keeper.py).
    """
    return Place(
        database=Address(LOOPBACK, 5432, LOOPBACK),
        mqtt=Address(LOOPBACK, 1883, LOOPBACK),
        http=Address(LOOPBACK, 8000, LOOPBACK),
        ingest_metrics=Address(LOOPBACK, 9100, LOOPBACK),
        postgres=postgres.server(var.postgres),
        postgres_configuration=HELD,
        mosquitto=program("mosquitto"),
        python=sys.executable,
        city=str(var.city),
        credentials=str(var.credentials),
        broker_directory=str(var.broker),
        figures=str(var.figures),
        simulator_status=str(var.simulator_status),
        authority=str(var.authority),
        seal=str(var.seal),
        given_tls=os.environ.get(GIVEN_TLS) or None,
    )


def local_layout(var: Directory, secrets: Secrets, drivers: Drivers) -> Layout:
    """Return the programs below `var`, and what is to be done before each start of one."""

    def programs(place: Place) -> list[Program]:
        return [local_program(one, var) for one in services(place, secrets, drivers)]

    def prepare(name: str, place: Place) -> None:
        if name == "database":
            leftovers.clear_cluster(var.postgres, server_account(postgres.SYSTEM_USER))
        elif name == "broker":
            account = server_account(broker.SYSTEM_USER)
            broker.prepare(var.broker, account, place.mqtt.port, encrypted(place))

    return Layout(programs, prepare)


def encrypted(place: Place) -> Encrypted:
    """Return the broker's listeners with TLS at a place."""
    return Encrypted(
        place.mqtt_tls.port,
        place.mqtt_mutual.port,
        Path(place.authority),
        place.mqtt_names,
        Path(place.given_tls) if place.given_tls else None,
    )


def local_program(service: Service, var: Directory) -> Program:
    """Wrap a service's command for its system user and its directory."""
    command, signal = service.command, service.stop_signal
    if service.name == "database":
        argv = server_account(postgres.SYSTEM_USER).holding(var.postgres, command, signal)
    elif service.name == "broker":
        argv = server_account(broker.SYSTEM_USER).inside(var.broker, command, signal)
    else:
        argv = ("setpriv", "--pdeathsig", signal, "--", *command)
    return Program(service, argv)
