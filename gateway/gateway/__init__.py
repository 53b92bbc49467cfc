"""Bihuan's gateway: REST, channels and partners."""
