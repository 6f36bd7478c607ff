"""The ingester: reads reports over MQTT, commits lots' states, then acknowledges."""
