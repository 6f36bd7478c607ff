"""The HTTP API, and the commands around it, such as the import of a city."""
