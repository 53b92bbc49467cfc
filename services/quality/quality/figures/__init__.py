"""Figures: what each subject contributes, and what the contributions of a period come to (QLT-01, QLT-02)."""
