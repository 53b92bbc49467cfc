"""Fixtures and settings for every test of the tree."""

from hypothesis import settings

pytest_plugins = ["servicekit.testing.plugin"]

# A busy machine must not fail a property; pytest's own timeout still bounds each test.
settings.register_profile("bihuan", deadline=None)
settings.load_profile("bihuan")
