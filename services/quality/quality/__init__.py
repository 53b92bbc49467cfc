"""Bihuan's quality service."""
