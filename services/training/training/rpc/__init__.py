"""The contracts: one file a service, no rules here."""
