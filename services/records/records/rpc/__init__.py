"""What records serves: proto to use cases and back, no rules here."""
