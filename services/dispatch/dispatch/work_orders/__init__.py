"""Work orders: one visit, from the request to the report (DSP-03, DSP-04)."""
