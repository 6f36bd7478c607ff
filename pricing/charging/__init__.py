"""What a stay costs: days laid out in time, the charging clock, caps, and the lines of a quote."""
