"""A Locust user of HTTP: the answer's body decides whether it is a success."""

from collections.abc import Callable
from http import HTTPStatus
from time import perf_counter
from typing import Any, ClassVar

import orjson
from locust.contrib.fasthttp import FastHttpUser

from load_tests.bodies import Body, WrongBodyError
from load_tests.world import World

Check = Callable[[Body], None]


class AskingUser(FastHttpUser):
    """A user with a connection of its own, who knows the city and checks each answer."""

    abstract = True
    world: ClassVar[World]
    connection_timeout = 5.0
    network_timeout = 10.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take a source of chance."""
        super().__init__(*args, **kwargs)
        self.random = self.world.new_chance()

    def ask(self, path: str, name: str, check: Check, *, due_s: float | None = None) -> Any:
        """Ask for a path, and check the answer.

        Args:
            path: With its parameters.
            name: In the statistics.
            check: Raises `WrongBodyError` for a wrong body.
            due_s: When its latency begins (`perf_counter`); None: when it is sent.

        Returns:
            The body, or None if the answer was wrong.
        """
        with self.client.get(path, name=name, catch_response=True) as response:
            if due_s is not None:
                response.request_meta["response_time"] = (perf_counter() - due_s) * 1000
            if response.status_code != HTTPStatus.OK:
                response.failure(f"status {response.status_code}")
                return None
            try:
                body = orjson.loads(response.content)
                if self.random.random() < self.world.plan.mix.checked_share:
                    check(body)
            except WrongBodyError as error:
                response.failure(f"{name}: {error}")
            except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError) as error:
                response.failure(f"{name}: not of the promised shape ({type(error).__name__})")
            else:
                return body
        return None
