"""Real servers from pip wheels, for one machine and for tests."""
