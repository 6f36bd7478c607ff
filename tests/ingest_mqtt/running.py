"""The ingester as a process, and clients of its broker."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiomqtt

from deploy import postgres
from deploy.accounts import program
from deploy.ports import any_free
from tests.polling import DEADLINE_S, until
from tests.servers import Broker, as_role

# Rates that no test reaches by sending a lot at once; those of `test_limits` are the real ones.
UNHURRIED = {"INGEST_GATEWAY_MESSAGES_PER_S": "100000", "INGEST_GATEWAY_BURST": "100000"}


class Client:
    """A user of the broker who keeps what it hears."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[tuple[str, bytes]] = []

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.heard.append((message.topic.value, message.payload))

    async def send(self, lot: str, kind: str, gateway: str = "gw-a", **fields: Any) -> None:
        body = {"epoch": 100, "seq": 1, "observed_at": "2026-11-22T09:30:00+08:00", **fields}
        await self.client.publish(
            f"onelot/v1/feeds/{gateway}/{lot}/{kind}", json.dumps(body), qos=1
        )

    @property
    def results(self) -> list[str]:
        return [json.loads(payload)["result"] for topic, payload in self.heard if "/acks/" in topic]

    @property
    def states(self) -> dict[str, dict[str, Any]]:
        return {
            topic.rpartition("/")[2]: json.loads(payload)
            for topic, payload in self.heard
            if "/state/" in topic and payload
        }


@asynccontextmanager
async def connected(
    host: str, port: int, user: str, password: str, *topics: str
) -> AsyncIterator[Client]:
    """A client that listens to `topics` from here on."""
    async with aiomqtt.Client(
        host,
        port,
        username=user,
        password=password,
        identifier=user,
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as connection:
        for topic in topics:
            await connection.subscribe(topic, qos=1)
        made = Client(connection)
        listening = asyncio.create_task(made.listen())
        try:
            yield made
        finally:
            listening.cancel()


def client(broker: Broker, user: str, *topics: str) -> AbstractAsyncContextManager[Client]:
    """A client of a test's own broker."""
    return connected(broker.host, broker.port, user, broker.password(user), *topics)


async def publish(
    broker: Broker,
    topic: str,
    *payloads: bytes,
    qos: int = 1,
    user: str = "gw-a",
    retain: bool = False,
) -> None:
    """Publish as strangers do, with mosquitto's own client: one message, or a line each."""
    command = [
        program("mosquitto_pub"),
        "-h",
        broker.host,
        "-p",
        str(broker.port),
        "-i",
        f"{user}-pub",
    ]
    command += ["-u", user, "-P", broker.password(user), "-q", str(qos), "-t", topic]
    command += ["-r"] if retain else []
    command += ["-s"] if len(payloads) == 1 else ["-l"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, complaint = await process.communicate(b"\n".join(payloads))
    assert process.returncode == 0, complaint


class Ingester:
    """The program as a process."""

    def __init__(
        self, database_url: str, mqtt_url: str, log: Path, settings: Mapping[str, str] = UNHURRIED
    ) -> None:
        self.metrics_port = any_free()
        self.log = log
        self._environment = {
            **os.environ,
            "DATABASE_URL": as_role(database_url, postgres.INGESTER),
            "INGEST_MQTT_URL": mqtt_url,
            "INGEST_METRICS_PORT": str(self.metrics_port),
            "INGEST_DIGEST_KEY": "a key of the tests",
            **settings,
        }
        self.process: asyncio.subprocess.Process | None = None

    @classmethod
    @asynccontextmanager
    async def running(
        cls, database_url: str, mqtt_url: str, log: Path, settings: Mapping[str, str] = UNHURRIED
    ) -> AsyncIterator[Self]:
        """An ingester from when it listens; what is sent earlier has no session to wait in."""
        made = cls(database_url, mqtt_url, log, settings)
        await made.start()
        try:
            await until(lambda: made.logged("connected to broker"), "the ingester")
            yield made
        finally:
            await made.stop()

    async def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ingest_mqtt", env=self._environment, stderr=output,
                stdout=output,
            )  # fmt: skip

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(DEADLINE_S):
            return await self.process.wait()

    def logged(self, words: str) -> int:
        """How many lines of its log hold these words."""
        return sum(words in line for line in self.log.read_text().splitlines())

    @property
    def resident_bytes(self) -> int:
        """Its memory that is not swapped out."""
        assert self.process is not None
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def counters(self) -> dict[str, float]:
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return {
            line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in lines
            if not line.startswith("#")
        }


class Bench:
    """An ingester whose settings a test chooses."""

    def __init__(self, database_url: str, broker: Broker, log: Path) -> None:
        self.database_url, self.broker, self.log = database_url, broker, log

    def running(self, **settings: str) -> AbstractAsyncContextManager[Ingester]:
        """Run the program with these settings."""
        return Ingester.running(self.database_url, self.broker.platform_ingest, self.log, settings)


def totals(counters: dict[str, float], family: str, label: str) -> dict[str, int]:
    """One family's counters by their label's value; what is 0 is left out."""
    prefix = f'ingest_{family}_total{{{label}="'
    return {
        name.removeprefix(prefix).removesuffix('"}'): int(value)
        for name, value in counters.items()
        if name.startswith(prefix) and value
    }
