"""The loop check: compares every service and the event log, and names whatever fell out of the loop."""
