"""The commands, one file a group. Each reads its arguments, asks the rooms, and prints; no rules here."""
