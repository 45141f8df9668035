"""Static files: compressed, and named after their content."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # no types shipped
    """Also rewrites `import` statements of our ES modules to the hashed names."""

    support_js_module_import_aggregation = True
