"""Slots for appointments: offered from real capacity, held, booked, and kept when engineers drop out (DSP-05)."""
