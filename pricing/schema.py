"""The JSON Schema of the tariff document, made from its model: `docs/schema/tariff.json`."""

import json
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from pricing.document import Tariff

_DESCRIPTION: Final = """\
One version of a tariff; see docs/contract/tariff.md. Every choice that changes a fee is required.

Beyond the schema: which fields go with which `charge` and which grace `mode`; tiers rise from 0
and are at most 192 in all; ids are unique; currencies, time zones and dates exist; no price of a
unit is negative; no object gives a field twice."""


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes of fields' names."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def schema_text() -> str:
    """Return the JSON Schema as text: sorted, in steps of two spaces."""
    schema = Tariff.model_json_schema(schema_generator=_WithoutTitles) | {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": "urn:onelot:v1:tariff",
        "title": "tariff",
        "description": _DESCRIPTION,
    }
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
