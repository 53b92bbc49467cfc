"""Bihuan's dispatch service."""
