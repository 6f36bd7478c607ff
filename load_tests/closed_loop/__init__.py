"""Prices that move, in a closed loop with a demand that answers them."""
