"""The parts that ``manage.py up`` starts on one machine: PostgreSQL, Valkey and a small model.

Nothing here is imported by the product itself; production gives ``DATABASE_URL``, ``REDIS_URL`` and
an OpenAI endpoint instead.
"""
