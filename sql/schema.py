"""All tables: importing this module makes `metadata` whole."""

from sql import mechanism_tables, people_tables, tables, tariff_tables

__all__ = ["mechanism_tables", "metadata", "people_tables", "tables", "tariff_tables"]

metadata = tables.metadata
