"""One question to a Redis or Valkey server, without the product's client."""

import redis


def ask(url: str, command: str) -> list[str] | str:
    """The answer to one command."""
    with redis.Redis.from_url(url, decode_responses=True, protocol=2) as client:
        client.set_response_callback("CONFIG GET", list)
        answer: list[str] | str = client.execute_command(*command.split())
        return answer
