"""Complaints 投诉: one grievance of one customer, from registration to its record (CMP-01 to CMP-05)."""
