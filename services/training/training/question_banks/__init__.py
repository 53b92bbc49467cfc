"""What exam papers are drawn from, and how well its questions do (TRN-03)."""
