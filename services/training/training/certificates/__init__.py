"""Certificates that anybody can verify (TRN-05)."""
