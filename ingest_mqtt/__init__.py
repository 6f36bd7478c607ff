"""MQTT in, committed state out."""
