"""The manuals' figures as validated, versioned data."""
