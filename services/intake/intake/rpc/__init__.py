"""Intake's contracts, served: proto to use cases and back, no rules here."""
