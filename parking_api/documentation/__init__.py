"""The page that describes the API to people, whole without any other host."""
