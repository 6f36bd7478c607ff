"""Single bays: the nearest free ones, and all of a lot."""
