"""Lots: the nearest, lists, single lots, and their history."""
