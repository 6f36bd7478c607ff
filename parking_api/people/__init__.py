"""People: their roles, the keys and tokens that they show, and what each may do."""
