"""HTTP in and out, and the two commands around it: the import of a city, the credentials."""
