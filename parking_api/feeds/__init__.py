"""Feeds of the gateways: how well they are, and the messages that were refused."""
