"""What sensors and gateways make of what is true: profiles of faults, and the truth beside them."""
