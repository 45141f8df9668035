"""Logs: one JSON object a line, with the request, tenant and generation it belongs to.

Message text is never logged: code logs ids, counts and codes only.
"""

import json
import logging
import logging.config
import re
from datetime import UTC, datetime

from tenants.logcontext import log_context

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "request",
}


class JsonFormatter(logging.Formatter):
    """Keys: time (ISO 8601, UTC), level, logger, message, the log context, extras, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON for the record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
            **log_context.get(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class NoHealthPaths(logging.Filter):
    """Drops Django's own line about a health path that says "not yet"."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is about anything else."""
        path = getattr(getattr(record, "request", None), "path", "")
        return path not in {"/healthz", "/readyz"}


class HideTokens(logging.Filter):
    """Takes the secret out of addresses that are one: links of invitations and for new passwords.

    Django names the path in its line about a refused form, and about an error.
    """

    _SECRET = re.compile(r"(/invitations/|/accounts/password/reset/key/)[^/\s\"'?#]+")

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record, without secrets in its text."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # a broken line is the handler's to report
            return True
        hidden = self._SECRET.sub(r"\1…", text)
        if hidden != text:
            record.msg, record.args = hidden, None
        return True


def configure(*, level: str, style: str) -> None:
    """Send every log to standard error, as JSON (`style="json"`) or plain text (`"text"`)."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {"()": JsonFormatter},
                "text": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
            },
            "filters": {
                "no_health_paths": {"()": NoHealthPaths},
                "hide_tokens": {"()": HideTokens},
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": style,
                    "filters": ["hide_tokens"],
                }
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # Their warnings repeat our errors, and their debug lines hold tokens.
                "azure.identity": {"level": "ERROR"},
                "msal": {"level": "INFO"},
                # Libraries that log each request, with addresses that may carry ids.
                "httpx2": {"level": "WARNING"},
                "httpcore2": {"level": "WARNING"},
                "openai": {"level": "WARNING"},
                "azure": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
                # A ticket that has expired is told as revoked; another one has taken its place.
                "celery.worker.request": {"level": "WARNING"},
                "celery.beat": {"level": "WARNING"},
                # Each line of its own would repeat what the request log says.
                "django.request": {"level": "ERROR", "filters": ["no_health_paths"]},
            },
        }
    )
