"""Bihuan's complaints service."""
