"""How a Locust user asks over HTTP: the answer's body decides whether it is a success."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

import gevent
import orjson
from locust.contrib.fasthttp import FastHttpUser

from load_tests.bodies import Body, WrongBodyError
from load_tests.world import World

Check = Callable[[Body], None]


class AskingUser(FastHttpUser):
    """A user with a connection of its own, who knows the city and checks what it is told."""

    abstract = True
    world: ClassVar[World]
    connection_timeout = 5.0
    network_timeout = 10.0

    def ask(self, path: str, name: str, check: Check) -> Any:
        """Ask for a path, and check the answer.

        Args:
            path: With its parameters.
            name: In the statistics.
            check: Raises `WrongBodyError` for a wrong body.

        Returns:
            The body, or None if the answer was wrong.
        """
        with self.client.get(path, name=name, catch_response=True) as response:
            if response.status_code != HTTPStatus.OK:
                response.failure(f"status {response.status_code}")
                return None
            try:
                body = orjson.loads(response.content)
                check(body)
            except WrongBodyError as error:
                response.failure(f"{name}: {error}")
            except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError) as error:
                response.failure(f"{name}: not of the promised shape ({type(error).__name__})")
            else:
                return body
        return None

    def on_start(self) -> None:
        """Wait for the city to be ready, and then a moment of one's own."""
        self.world.ready.wait()
        gevent.sleep(0)
