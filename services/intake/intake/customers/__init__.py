"""Customers: who we serve, and the key that guards their personal data (REC-05, REC-06)."""
