"""The broker's listeners with TLS: who gets in, as whom, and that every program of ours does."""

import asyncio
import random
import shutil
import ssl
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import psutil
import pytest

from deploy import listeners
from deploy.listeners import Encrypted
from deploy.ports import any_free
from parking_api.city.hearing import Hearing
from parking_api.settings import ApiSettings
from simulators import registry
from simulators.feeds import Report
from simulators.gateway import Gateway
from simulators.outbox import Outbox
from simulators.registry import Credentials
from tests.deploy.authorities import signed
from tests.deploy.test_servers import listening
from tests.ingest_mqtt.running import UNHURRIED, Ingester
from tests.polling import until
from tests.servers import Broker

LOTS = 1670
ROOT = "onelot/v1"


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A directory with the certificate of who signs gateways' certificates."""
    signed(tmp_path / "clients", "gw-a")
    directory = tmp_path / "given"
    directory.mkdir()
    shutil.copy(tmp_path / "clients/ca.pem", directory / "clients.pem")
    return directory


@pytest.fixture
def tls(tmp_path: Path, given: Path) -> Encrypted:
    names = ("localhost", "127.0.0.1")
    return Encrypted(any_free(), any_free(), tmp_path / "tls", names, given)


@pytest.fixture
def broker(tmp_path: Path, tls: Encrypted) -> Iterator[Broker]:
    """A broker with all its listeners."""
    made = Broker(tmp_path / "broker", any_free(), tls=tls)
    made.start()
    made.add_users("gw-a", "gw-b")
    yield made
    made.stop()


def encrypted(tls: Encrypted, url: str) -> str:
    """A user's URL, by TLS."""
    return f"mqtts{url.removeprefix('mqtt').rpartition(':')[0]}:{tls.port}"


def trusting(tls: Encrypted, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """A client that trusts the demo's authority, and shows a certificate."""
    context = ssl.create_default_context(cafile=tls.authority / "ca.pem")
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def test_the_broker_listens_on_loopback_on_three_ports(broker: Broker, tls: Encrypted) -> None:
    assert broker._server is not None
    assert listening(psutil.Process(broker._server.process.pid)) == {
        ("127.0.0.1", port) for port in (broker.port, tls.port, tls.mutual_port)
    }


async def test_who_does_not_know_the_authority_or_a_password_is_refused(
    broker: Broker, tls: Encrypted
) -> None:
    async def refused(context: ssl.SSLContext | None, password: str) -> str:
        client = aiomqtt.Client(
            broker.host, tls.port, username="gw-a", password=password, identifier="gw-a",
            tls_context=context, timeout=5,
        )  # fmt: skip
        try:
            async with client:
                return ""
        except (aiomqtt.MqttError, ssl.SSLError) as error:
            return str(error)

    assert not await refused(trusting(tls), broker.password("gw-a"))
    assert "ertificate" in await refused(ssl.create_default_context(), broker.password("gw-a"))
    assert "uthori" in await refused(trusting(tls), "wrong")
    old = trusting(tls)
    with pytest.warns(DeprecationWarning, match="deprecated"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    assert await refused(old, broker.password("gw-a"))
    assert await refused(None, broker.password("gw-a"))


async def test_the_api_hears_every_lot_by_tls(broker: Broker, tls: Encrypted) -> None:
    ca = tls.authority / "ca.pem"
    settings = ApiSettings(mqtt_url=encrypted(tls, broker.platform_api), mqtt_ca=ca)
    heard: set[bytes] = set()
    assert settings.mqtt_url
    hearing = Hearing(settings.mqtt_url, heard.add, settings.mqtt_ca)
    task = asyncio.create_task(hearing.run(lambda: None))
    sender = aiomqtt.Client(
        broker.host, broker.port, username="platform-ingest", identifier="platform-ingest",
        password=broker.password("platform-ingest"), max_inflight_messages=LOTS,
    )  # fmt: skip
    try:
        async with sender:
            for number in range(LOTS):
                await sender.publish(f"{ROOT}/state/{number}", b"%d" % number, qos=0, retain=True)
            await until(lambda: len(heard) == LOTS, "every state")
        again: set[bytes] = set()
        task.cancel()
        retained = Hearing(settings.mqtt_url, again.add, settings.mqtt_ca)
        task = asyncio.create_task(retained.run(lambda: None))
        await until(lambda: len(again) == LOTS, "every retained state")
    finally:
        task.cancel()


async def test_a_gateways_reports_reach_the_ingester_by_tls_and_their_acks_come_back(
    broker: Broker, tls: Encrypted, database_url: str, tmp_path: Path
) -> None:
    """More of them than the ingester reads in one turn."""
    ca = tls.authority / "ca.pem"
    settings = {**UNHURRIED, "INGEST_MQTT_CA": str(ca)}
    at = registry.Broker(broker.host, tls.port, ca)
    lots = [f"370202-{number:04}" for number in range(400)]
    acks: list[str] = []
    report = Report("count", datetime.now(UTC).isoformat(), {"free": 1})
    rng = random.Random(1)
    gateway = Gateway(
        at,
        Credentials("gw-a", broker.password("gw-a"), tuple(lots)),
        {lot: Outbox(lambda: 100, lambda: report, rng) for lot in lots},
        rng=rng,
        on_ack=lambda lot, _: acks.append(lot),
    )
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        url = encrypted(tls, broker.platform_ingest)
        await stack.enter_async_context(
            Ingester.running(database_url, url, tmp_path / "ingester.log", settings)
        )
        task = asyncio.create_task(gateway.run(stop))
        try:
            await until(lambda: set(acks) == set(lots), "the acks")
        finally:
            stop.set()
            await task


async def test_a_gateway_with_a_certificate_is_who_its_common_name_says(
    broker: Broker, tls: Encrypted, tmp_path: Path
) -> None:
    """It has its own rights and no others, whoever it says it is; without them it has none."""
    authority = tmp_path / "clients"
    strange, own = tmp_path / "strangers", signed(authority, "gw-a")
    heard: list[str] = []
    topics = [f"{ROOT}/feeds/{name}/lot/spaces" for name in ("gw-a", "gw-b", "gw-new")]

    def client(certificate: tuple[Path, Path] | None, user: str | None = None) -> aiomqtt.Client:
        return aiomqtt.Client(
            broker.host, tls.mutual_port, identifier="any", username=user, timeout=5,
            password=None if user is None else broker.password(user),
            protocol=aiomqtt.ProtocolVersion.V5, tls_context=trusting(tls, certificate),
        )  # fmt: skip

    async def listen(ingester: aiomqtt.Client) -> None:
        async for message in ingester.messages:
            heard.append(message.topic.value)  # noqa: PERF401 - one by one, as they come

    ingest = aiomqtt.Client(
        broker.host, broker.port, username="platform-ingest", identifier="platform-ingest",
        password=broker.password("platform-ingest"),
    )  # fmt: skip
    async with ingest:
        await ingest.subscribe(f"{ROOT}/feeds/#")
        task = asyncio.create_task(listen(ingest))
        for certificate, user in (
            (signed(authority, "gw-new"), None),
            (signed(authority, "gw-new"), "gw-b"),
            (own, "gw-b"),
        ):
            async with client(certificate, user) as gateway:
                for topic in topics:
                    with suppress(aiomqtt.MqttError):
                        await gateway.publish(topic, b"x", qos=1)
        await until(lambda: bool(heard), "what is its own")
        # In order: what came before has been heard.
        await ingest.publish(f"{ROOT}/feeds/end/lot/spaces", b"x")
        await until(lambda: heard[-1] == f"{ROOT}/feeds/end/lot/spaces", "the end")
        task.cancel()
    assert heard[:-1] == topics[:1]
    for shown in (None, signed(strange, "gw-a")):
        with pytest.raises((aiomqtt.MqttError, ssl.SSLError)):
            async with client(shown, "gw-a"):
                pass


async def test_a_certificate_that_was_renewed_is_taken_up_by_a_reload(
    broker: Broker, tls: Encrypted, given: Path, tmp_path: Path
) -> None:
    certificate, key = signed(tmp_path / "real", "localhost")
    shutil.copy(certificate, given / "broker.pem")
    shutil.copy(key, given / "broker.key")
    assert broker._server is not None
    server = broker._server
    listeners.write(broker.directory, server.account, broker.host, broker.port, tls)
    server.reload()
    context = ssl.create_default_context(cafile=tmp_path / "real/ca.pem")
    context.check_hostname = False

    async def is_trusted() -> bool:
        try:
            _, writer = await asyncio.open_connection(broker.host, tls.port, ssl=context)
        except ssl.SSLError:
            return False
        writer.close()
        return True

    await until(is_trusted, "the new certificate")
