"""Names of the kinds of requests, in Locust's statistics and in the reports."""

from typing import Final

NEAREST: Final = "/v1/nearest"
NEAREST_SPACES: Final = "/v1/spaces/nearest"
LOT: Final = "/v1/lots/{lot_id}"
LOT_SPACES: Final = "/v1/lots/{lot_id}/spaces"
CITY: Final = "/v1/city"

# A feed's message, from publishing to the platform's ack.
ACK: Final = "ACK"
# A marked change, from publishing to the answer that shows it.
FRESH: Final = "FRESH"

# Every gateway again, from its first message to its last ack, or from its lost connection.
RESYNC: Final = "RESYNC first publish to last ack"
RECONNECT: Final = "RESYNC lost connection to last ack"

HELD_PER_S: Final = "/v1/nearest a second at the highest load held"
EMPTY: Final = "empty answers of /v1/nearest"
APPLIED: Final = "observations applied"
HELD_BACK: Final = "held back: too many in flight"
