"""Webhooks: endpoints, and deliveries after the Standard Webhooks specification."""
