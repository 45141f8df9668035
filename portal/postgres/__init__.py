"""Django's backend for PostgreSQL, signed in with the tokens of an identity."""
