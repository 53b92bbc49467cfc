"""What is remembered of events: the facts that figures are formed from (QLT-02)."""
