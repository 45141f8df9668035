"""Logos: what is taken, what is made of it, and how it is served."""

from io import BytesIO
from zlib import crc32

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from PIL import Image, PngImagePlugin

from tenants import logos
from tenants.models import Membership, Tenant, TenantLogo
from tests.client import PortalClient, without_scope

PAGE = b"<html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
GREEN = (20, 160, 90)


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 100), **options: object) -> bytes:
    """A green picture in this format."""
    file = BytesIO()
    Image.new("RGB", size, GREEN).save(file, kind, **options)
    return file.getvalue()


def remade(content: bytes) -> Image.Image:
    """What is made of this upload."""
    return Image.open(BytesIO(logos.remade(BytesIO(content))))


# ── What is made of an upload ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_becomes_a_png_whatever_it_was(kind: str) -> None:
    made = remade(picture(kind))

    red, green, blue, _ = made.convert("RGBA").resize((1, 1)).tobytes()
    assert made.format == "PNG"
    assert made.size == (300, 100)
    assert max(abs(red - GREEN[0]), abs(green - GREEN[1]), abs(blue - GREEN[2])) < 6


@pytest.mark.parametrize(
    ("size", "kept"), [((2048, 512), (512, 128)), ((1, 2048), (1, 512)), ((2, 3), (2, 3))]
)
def test_a_large_picture_is_made_smaller_in_its_shape(
    size: tuple[int, int], kept: tuple[int, int]
) -> None:
    assert remade(picture(size=size)).size == kept


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_colour_is_understood(mode: str) -> None:
    file = BytesIO()
    Image.new("RGB", (40, 40), GREEN).convert("L" if mode == "I;16" else mode).save(
        file, "JPEG" if mode == "CMYK" else "PNG"
    )

    assert remade(file.getvalue()).size == (40, 40)


def test_transparency_is_kept() -> None:
    file = BytesIO()
    Image.new("RGBA", (40, 40), (*GREEN, 0)).save(file, "WEBP")

    assert remade(file.getvalue()).getpixel((0, 0))[3] == 0  # type: ignore[index]  # four bands


def test_a_picture_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    assert remade(picture("JPEG", exif=exif)).size == (100, 300)


def test_nothing_but_pixels_goes_over() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<script>alert(1)</script>", zip=False)
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    upload = picture(pnginfo=notes, exif=exif, icc_profile=b"a profile" * 20) + PAGE

    made = logos.remade(BytesIO(upload))

    chunks = {bytes(made[i : i + 4]) for i in range(len(made))} & {b"tEXt", b"eXIf", b"iCCP"}
    assert b"<script>" in upload
    assert b"<script>" not in made
    assert not chunks
    assert made.endswith(b"IEND\xaeB`\x82")


def test_of_a_moving_picture_the_first_one_stays() -> None:
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue", "white")]
    file = BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])

    assert getattr(remade(file.getvalue()), "n_frames", 1) == 1


# ── What is refused ────────────────────────────────────────────────────────────────────────────
def gif() -> bytes:
    """A picture that Pillow knows and we do not take."""
    return picture("GIF")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n", PAGE, SVG, b"GIF89a" + PAGE, gif(), b"\0" * 1000, b"%PDF-1.7"],
)
def test_what_is_no_picture_of_ours_is_refused(content: bytes) -> None:
    with pytest.raises(ValidationError, match="no PNG, JPEG or WebP"):
        logos.remade(BytesIO(content))


def test_a_damaged_picture_is_refused() -> None:
    whole = picture("JPEG", (800, 800))

    with pytest.raises(ValidationError, match="damaged"):
        logos.remade(BytesIO(whole[: len(whole) // 2]))


@pytest.mark.parametrize("size", [(4097, 1), (1, 4097), (60_000, 60_000)])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    size: tuple[int, int],
) -> None:
    small = picture()
    width, height = (side.to_bytes(4) for side in size)
    ihdr = b"IHDR" + width + height + small[24:29]
    bomb = small[:12] + ihdr + crc32(ihdr).to_bytes(4) + small[33:]

    with pytest.raises(ValidationError, match=f"{size[0]} by {size[1]} pixels"):
        logos.remade(BytesIO(bomb))


def test_a_file_of_more_than_a_megabyte_is_refused_unread() -> None:
    upload = BytesIO(picture() + b"\0" * 3_000_000)

    with pytest.raises(ValidationError, match="too large"):
        logos.remade(upload)

    assert upload.tell() == logos.MAX_BYTES + 1


def test_a_jpeg_that_goes_through_its_pixels_without_end_is_refused() -> None:
    whole = picture("JPEG", progressive=True)
    scan = whole.index(b"\xff\xda")
    bomb = whole[:scan] + whole[scan:-2] * 120 + whole[-2:]

    with pytest.raises(ValidationError, match="unusually built"):
        logos.remade(BytesIO(bomb))


# ── How it is served ───────────────────────────────────────────────────────────────────────────
@pytest.fixture
def logo(tenant: Tenant) -> bytes:
    """Acme's logo."""
    content = logos.remade(BytesIO(picture()))
    logos.keep(tenant, content)
    return content


ADDRESS = "/acme/logo/"


def test_members_get_the_logo_as_a_picture_and_nothing_else(as_member: Client, logo: bytes) -> None:
    answer = as_member.get(ADDRESS)

    assert answer.content == logo
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Content-Disposition"] == 'inline; filename="logo.png"'
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "private, max-age=86400"


def test_a_logo_that_the_browser_has_is_not_sent_again(
    as_member: Client, tenant: Tenant, logo: bytes
) -> None:
    first = as_member.get(ADDRESS)
    again = as_member.get(ADDRESS, headers={"If-None-Match": first["ETag"]})
    logos.keep(tenant, logos.remade(BytesIO(picture(size=(10, 10)))))
    changed = as_member.get(ADDRESS, headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_nobody_else_gets_the_logo(
    client: Client, logo: bytes, outsider: Membership, owner: Membership
) -> None:
    anonymous = client.get(ADDRESS)
    as_outsider = PortalClient()
    as_outsider.force_login(outsider.user)

    assert anonymous.status_code == 302
    assert as_outsider.get(ADDRESS).status_code == 404
    assert as_outsider.get("/globex/logo/").status_code == 404


def test_a_tenant_without_a_logo_has_no_picture_on_its_pages(
    as_member: Client, member: Membership, tenant: Tenant
) -> None:
    before = as_member.get("/acme/").content.decode()
    digest = logos.keep(tenant, logos.remade(BytesIO(picture())))
    after = as_member.get("/acme/").content.decode()
    was_removed = logos.remove(tenant)

    assert as_member.get(ADDRESS).status_code == 404
    assert ADDRESS not in before
    assert f'src="{reverse("chat:show_logo", args=["acme"])}?v={digest[:12]}"' in after
    assert (was_removed, logos.remove(tenant)) == (True, False)


def test_the_database_shows_no_logo_outside_its_tenant(logo: bytes) -> None:
    with without_scope():
        assert not TenantLogo.objects.exists()
