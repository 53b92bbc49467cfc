"""The bihuan command: embedded default, operations, demo, loop check."""
