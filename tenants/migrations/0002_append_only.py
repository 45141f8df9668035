"""Audit events are append-only in the database too."""

from django.db import migrations

from tenants.ledger import append_only


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [append_only("tenants_auditevent")]
