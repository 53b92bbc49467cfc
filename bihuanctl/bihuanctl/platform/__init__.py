"""The platform on this machine: where its files are, what runs, and how to reach it."""
