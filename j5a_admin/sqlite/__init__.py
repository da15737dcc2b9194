"""Django's SQLite backend, with the claim on the data directory: no program opens the database without it."""
