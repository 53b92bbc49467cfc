"""The complaints contract, served: proto to use cases and back, no rules here."""
