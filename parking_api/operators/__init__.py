"""Operators and their gateways: what they may do, and the passwords that they do it with."""
