"""The local run: private servers, the programs in their order, and what compose shares."""
