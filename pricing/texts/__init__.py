"""The words of a tariff, in Chinese and English: its parts, its fields, its lines, its notice."""
