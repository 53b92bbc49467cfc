"""Bihuan's intake service."""
