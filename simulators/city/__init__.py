"""A synthetic Qingdao: lots, bays, operators and gateways on real ground, from a seed."""
