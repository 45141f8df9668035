"""Logos: an upload is checked and drawn anew, so that nothing of the file itself is kept or served.

The one door to Pillow (docs/decisions/0009-pillow.md).
"""

import hashlib
from io import BytesIO
from threading import Lock
from typing import IO

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from PIL import Image, ImageOps

from tenants.models import Tenant, TenantLogo

MAX_BYTES = 1_048_576
MAX_SIDE = 2048  # pixels of an upload
SIDE = 512  # pixels of what is kept
TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
# A JPEG of a megabyte can ask for the whole picture to be gone through thousands of times.
_MOST_SCANS = 100
_START_OF_SCAN = b"\xff\xda"

# A picture of the largest size takes up to 70 MB while it is decoded.
_one_at_a_time = Lock()

# Ours is narrower: the sides are looked at before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


def remade(upload: IO[bytes]) -> bytes:
    """The uploaded picture as a PNG of at most 512 pixels a side, with nothing else of the file.

    Raises ValidationError, with words for the person, for what is no PNG, JPEG or WebP picture (by
    its content, whatever it is called) or too large.
    """
    content = upload.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValidationError("This file is too large. A logo may have 1 MB.")
    picture = _opened(content)
    if max(picture.size) > MAX_SIDE:
        width, height = picture.size
        raise ValidationError(
            f"This picture has {width} by {height} pixels. A logo may have {MAX_SIDE} a side."
        )
    return _drawn(picture)


def _opened(content: bytes) -> Image.Image:
    """The picture, of which no more than the head has been read."""
    try:
        picture = Image.open(BytesIO(content), formats=tuple(TYPES))
    except Exception:  # noqa: BLE001  # a broken file makes Pillow raise nearly anything
        raise ValidationError("This is no PNG, JPEG or WebP picture.") from None
    if picture.format == "JPEG" and content.count(_START_OF_SCAN) > _MOST_SCANS:
        raise ValidationError("This picture is unusually built. Save it again, and try that file.")
    return picture


def _drawn(picture: Image.Image) -> bytes:
    try:
        with _one_at_a_time:
            upright = ImageOps.exif_transpose(_small(picture)).convert("RGBA")
    except Exception:  # noqa: BLE001  # as above
        raise ValidationError(
            "This picture is damaged. Save it again, and try that file."
        ) from None
    # Only pixels go over: no profile, comment or place where it was taken.
    bare = Image.frombytes("RGBA", upright.size, upright.tobytes())
    file = BytesIO()
    bare.save(file, "PNG", optimize=True)
    return file.getvalue()


def _small(picture: Image.Image) -> Image.Image:
    if picture.mode not in {"RGB", "RGBA"}:
        picture = picture.convert("RGBA")
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return picture


def keep(tenant: Tenant, content: bytes) -> str:
    """Make this PNG, made by `remade`, the tenant's logo; returns its digest."""
    digest = hashlib.sha256(content).hexdigest()
    TenantLogo.objects.update_or_create(
        tenant=tenant, defaults={"content": content, "digest": digest}
    )
    return digest


def remove(tenant: Tenant) -> bool:
    """Take the tenant's logo away; whether it had one."""
    return TenantLogo.objects.filter(tenant=tenant).delete()[0] > 0


def digest_of(tenant: Tenant) -> str:
    """The digest of the tenant's logo; "" where it has none."""
    digests = TenantLogo.objects.filter(tenant=tenant).values_list("digest", flat=True)
    return digests.first() or ""


def serve(request: HttpRequest, tenant: Tenant) -> HttpResponseBase:
    """The logo as a picture and nothing else, whatever a browser makes of it; 404 without one.

    Its address should carry the digest, because browsers ask for it once a day only.
    """
    digest = digest_of(tenant)
    if not digest:
        raise Http404
    response = get_conditional_response(request, etag=f'"{digest}"')
    if response is None:
        content = TenantLogo.objects.values_list("content", flat=True).get(tenant=tenant)
        response = HttpResponse(bytes(content), content_type="image/png")
        response["ETag"] = f'"{digest}"'
    response["Cache-Control"] = "private, max-age=86400"
    response["Content-Disposition"] = 'inline; filename="logo.png"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response
