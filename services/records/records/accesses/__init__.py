"""先查后调、先调后用: requests with a purpose, approvals by grade, timed openings (REC-03)."""
