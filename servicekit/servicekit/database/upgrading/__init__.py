"""Where Alembic finds how to run; what it runs lies with each service."""
