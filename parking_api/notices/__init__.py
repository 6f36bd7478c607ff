"""The public notice of a tariff version: its official text, and its quick table."""
