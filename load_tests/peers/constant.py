"""Starlette with one answer, the same bytes each time: what server and framework alone cost.

Environment: `PEER_BODY`, the file of the answer.
"""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_BODY = Path(os.environ["PEER_BODY"]).read_bytes()


async def _constant(_: Request) -> Response:
    return Response(_BODY, media_type="application/json")


app = Starlette(routes=[Route("/v1/nearest", _constant)])
