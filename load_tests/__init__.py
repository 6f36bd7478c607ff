"""Load on a running city: drivers, operators, operations; and what it measures."""
