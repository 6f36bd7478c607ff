"""Tariffs: versions drafted by one person, approved by another, published, never changed."""
