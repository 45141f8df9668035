"""What `manage.py check_stream` measures through a gateway: streams, chat text, and attacks.

The texts that it sends are data files: `prompts/` (what people write, which must be let through)
and `attacks/` (what must be stopped).
"""
