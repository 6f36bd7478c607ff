"""Price mechanisms: approved once, reviewed again and again; a review proposes, people decide."""
