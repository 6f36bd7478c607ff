"""Stands outside the platform: builds the city, and plays its demand, sensors and gateways."""
