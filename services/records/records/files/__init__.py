"""Files 档案: one for each closed case, complete and never overwritten (REC-01, REC-02)."""
