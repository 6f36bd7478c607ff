"""How much the simulated city is like real ones: figures of both, side by side."""
