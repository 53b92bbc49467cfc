"""Who is to learn what by when, and how far they are (TRN-02, TRN-07)."""
