"""What a web server answers, as a number."""

import urllib.error
import urllib.request


def http_status(url: str, *, seconds: float, headers: dict[str, str] | None = None) -> int:
    """The status of a GET, whatever it is. Raises OSError when nobody answers.

    Only for addresses whose scheme has been checked or is our own.
    """
    request = urllib.request.Request(url, headers=headers or {})  # noqa: S310  # see above
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310  # see above
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
