"""How long records are kept, what keeps them longer, and how they end (REC-06)."""
