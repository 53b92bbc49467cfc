"""Partners, what each may see and until when."""
