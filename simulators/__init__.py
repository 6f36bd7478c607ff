"""Outside the platform: builds a city, and simulates its demand, its sensors and gateways."""
