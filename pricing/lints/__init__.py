"""What is valid in a tariff, yet probably not meant or not allowed."""
