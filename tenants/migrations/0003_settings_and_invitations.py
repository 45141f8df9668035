"""How tenants are set up, and invitations."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import tenants.models.memberships
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("email", models.EmailField(help_text="In lower case.", max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[("member", "Member"), ("manager", "Manager"), ("owner", "Owner")],
                        default="member",
                        max_length=10,
                    ),
                ),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "expires_at",
                    models.DateTimeField(default=tenants.models.memberships._default_expiry),
                ),
                ("accepted_at", models.DateTimeField(editable=False, null=True)),
                ("withdrawn_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="TenantLogo",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="logo",
                        serialize=False,
                        to="tenants.tenant",
                    ),
                ),
                ("content", models.BinaryField()),
                (
                    "digest",
                    models.CharField(help_text="SHA-256 of the content, in hex.", max_length=64),
                ),
                ("changed_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.AddField(
            model_name="auditevent",
            name="client_address",
            field=models.GenericIPAddressField(
                blank=True, help_text="As seen through the trusted gateway.", null=True
            ),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="hash",
            field=models.CharField(default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="previous_hash",
            field=models.CharField(default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="sequence",
            field=models.BigIntegerField(
                default=0,
                editable=False,
                help_text="Its place in the chain, from 1; the database sets it.",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="default_system_prompt",
            field=models.TextField(
                blank=True,
                help_text="Sent to the model before every new conversation of the tenant.",
                max_length=20000,
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="investigation_notice_days",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="How many days after an investigation the member is told that their conversation was read. 0: as soon as it is over.",
                validators=[django.core.validators.MaxValueValidator(365)],
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="reports_for",
            field=models.CharField(
                choices=[("owner", "Owners"), ("manager", "Managers and owners")],
                default="manager",
                help_text="Who may see the tenant's reports.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="retention_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Conversations untouched for this many days are deleted. Empty: kept.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(36500),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="tenant",
            name="notice",
            field=models.TextField(
                blank=True, help_text="Shown to members: what may be entered here.", max_length=2000
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="accepted_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="invited_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="invitations",
                to="tenants.tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                models.F("tenant"),
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(("accepted_at", None), ("withdrawn_at", None)),
                name="one_open_invitation",
            ),
        ),
    ]
