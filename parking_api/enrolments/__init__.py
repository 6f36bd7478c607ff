"""Enrolments: how people come to be known, and get roles and keys; two others agree to each."""
