"""The past of a simulated city, in the files that the platform's import of history takes."""
