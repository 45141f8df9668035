"""Audit events of a tenant form a chain, which the database keeps."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.auditchain import chained


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_settings_and_invitations")]
    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sequence", models.BigIntegerField()),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name="audithead",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="audithead",
            constraint=models.UniqueConstraint(
                fields=("tenant",), name="one_audit_chain", nulls_distinct=False
            ),
        ),
        chained(),
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=models.UniqueConstraint(
                fields=("tenant", "sequence"), name="one_event_per_place", nulls_distinct=False
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["-created_at"], name="audit_by_time"),
        ),
    ]
