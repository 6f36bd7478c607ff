"""What maps draw of the city's registration: each document is written once, and kept."""
