"""A broker that lets anyone in, and a stand-in for the platform behind it."""

import asyncio
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from simulators.registry import Broker
from simulators.stopping import end_tasks
from tests.simulators.platform_double import PlatformDouble


class OpenBroker:
    """A mosquitto on a free loopback port; it can be stopped and started again there."""

    def __init__(self, directory: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = Broker("127.0.0.1", free.getsockname()[1])
        self._config = directory / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.address.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            "max_inflight_messages 1000\nmax_queued_messages 0\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(self._config)], stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.address.port)):
                return
            assert time.monotonic() < deadline, "the broker does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def open_broker(tmp_path: Path) -> Iterator[OpenBroker]:
    broker = OpenBroker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
async def platform(open_broker: OpenBroker) -> AsyncIterator[PlatformDouble]:
    double = PlatformDouble(open_broker.address.port)
    task = asyncio.create_task(double.run())
    await asyncio.wait_for(double.ready.wait(), 10)
    yield double
    await end_tasks([task])
