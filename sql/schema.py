"""All tables: importing this module makes `metadata` whole."""

from sql import people_tables, tables, tariff_tables

__all__ = ["metadata", "people_tables", "tables", "tariff_tables"]

metadata = tables.metadata
