"""The places of the dialogue, a file for each thing that a caller may want."""
