"""The contracts of quality: proto to use cases and back, no rules here."""
