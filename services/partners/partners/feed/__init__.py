"""Passing on events: to feeds on the bus, and to webhooks."""
