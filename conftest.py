"""Fixtures for every test of the tree."""

pytest_plugins = ["servicekit.testing.plugin"]
