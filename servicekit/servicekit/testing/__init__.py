"""Real servers and ready-made parts for tests; `servicekit.testing.plugin` is the pytest plugin."""
