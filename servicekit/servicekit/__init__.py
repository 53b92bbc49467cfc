"""What every Bihuan service shares, and nothing of any one service."""
