"""The `bihuan` command: runs the embedded platform and looks after it."""
