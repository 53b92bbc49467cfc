"""A record for reading, and as a package that leaves the platform with its proofs (REC-07)."""
