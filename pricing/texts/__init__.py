"""The words of a tariff, in Chinese and English: its parts, its fields, its lines, its notice."""

from pricing.texts import clauses, naming
from pricing.texts.differences import changes
from pricing.texts.words import Words, duration, money, started

__all__ = ["Words", "changes", "clauses", "duration", "money", "naming", "started"]
