"""`python -m deploy.openapi`: writes the API's OpenAPI document, from which clients are made."""

import sys

import orjson

from parking_api.app import create_app
from parking_api.settings import ApiSettings


def main() -> None:
    """Write the document to the standard output."""
    app = create_app(ApiSettings(), "postgresql://nowhere")
    sys.stdout.buffer.write(orjson.dumps(app.openapi()))


if __name__ == "__main__":
    main()
