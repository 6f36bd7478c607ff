"""Looks over a tariff, off the loop: one may take a second."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import pricing
from parking_api.errors import ParameterFault
from parking_api.quotes.errors import TariffInvalidError
from parking_api.worker import off_loop

P = ParamSpec("P")
R = TypeVar("R")


async def looked_over(look: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Look a tariff over in some way.

    Raises:
        TariffInvalidError: The document takes too many steps to look over.
    """
    try:
        return await off_loop(look, *args, **kwargs)
    except pricing.TooMuchWorkError as error:
        fault = ParameterFault(parameter="document", message=str(error))
        raise TariffInvalidError([fault]) from error
