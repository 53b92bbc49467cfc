"""Appointments as the customer sees them; the slots behind them are dispatch's (INT-09)."""
