"""Decisions: acts that change what a stay costs; one person asks for one, another confirms it."""
