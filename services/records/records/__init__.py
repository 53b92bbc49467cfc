"""Bihuan's records service."""
