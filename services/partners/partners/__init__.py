"""Bihuan's partners: what each may see, their feeds and their webhooks."""
