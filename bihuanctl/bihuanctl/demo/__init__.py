"""`bihuan demo`: plays real requests through the whole loop, as clients of the gateway (see play.py)."""
