"""Bihuan's training service."""
