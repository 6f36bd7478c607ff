"""The public notice of a tariff version: the official text in Chinese, with its quick table."""
