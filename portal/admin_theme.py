"""How the admin looks: names, colours and where its navigation comes from (django-unfold)."""

UNFOLD = {
    "SITE_TITLE": "Atrium",
    "SITE_HEADER": "Atrium",
    "SITE_SUBHEADER": "portal.admin.scope_name",
    "SITE_ICON": "portal.admin.icon",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "portal.admin.icon"}],
    "SITE_URL": None,  # the sidebar leads back
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["portal.admin.stylesheet"],
    "SCRIPTS": ["portal.admin.script"],
    "DASHBOARD_CALLBACK": "portal.dashboard.with_reports",
    "SIDEBAR": {"navigation": "portal.admin.navigation"},
    "COLORS": {
        "primary": {
            "50": "oklch(97.6% .012 200)",
            "100": "oklch(94.8% .024 200)",
            "200": "oklch(90% .04 200)",
            "300": "oklch(82.5% .056 200)",
            "400": "oklch(72% .068 200)",
            "500": "oklch(65% .075 200)",
            "600": "oklch(47.5% .066 200)",
            "700": "oklch(41% .058 200)",
            "800": "oklch(35.5% .05 200)",
            "900": "oklch(30% .042 200)",
            "950": "oklch(22% .032 200)",
        },
        "base": {
            "50": "oklch(98.6% .003 85)",
            "100": "oklch(96.4% .006 85)",
            "200": "oklch(90.8% .008 85)",
            "300": "oklch(85% .01 85)",
            "400": "oklch(70.5% .012 85)",
            "500": "oklch(55% .012 85)",
            "600": "oklch(44.5% .011 85)",
            "700": "oklch(36.5% .01 85)",
            "800": "oklch(27% .008 85)",
            "900": "oklch(20.5% .007 85)",
            "950": "oklch(15.5% .006 85)",
        },
    },
}
