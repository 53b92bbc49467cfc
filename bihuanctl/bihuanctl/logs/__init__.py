"""Log files of the platform, read back for people."""
