"""Drivers of the simulated city: when they come, how long they stay, which bay they take."""
