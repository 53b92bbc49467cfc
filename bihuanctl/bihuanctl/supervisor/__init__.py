"""Starts the platform's processes, keeps them running, and stops them in order."""
