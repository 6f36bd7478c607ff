"""Named places, districts and lots by their names: what drivers type into a search box."""
