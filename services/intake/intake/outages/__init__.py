"""Mass outages: many fault reports from one area, and the incidents that cases wait for (INT-15)."""
