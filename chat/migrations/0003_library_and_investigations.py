"""Prompt library, investigations, and references without constraints of Django's own."""

import chat.models.investigations
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0002_append_only"),
        ("tenants", "0005_isolation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="deploymentgrant",
            name="is_offered",
            field=models.BooleanField(
                default=True, help_text="Whether the tenant's members may choose it."
            ),
        ),
        migrations.AlterField(
            model_name="conversation",
            name="head",
            field=models.ForeignKey(
                db_constraint=False,
                help_text="The last message of the branch that is shown.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="chat.message",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="conversation",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="generations",
                to="chat.conversation",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="prompt",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="generations",
                to="chat.message",
            ),
        ),
        migrations.AlterField(
            model_name="generation",
            name="reply",
            field=models.OneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="generation",
                to="chat.message",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="conversation",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="chat.conversation",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="parent",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="children",
                to="chat.message",
            ),
        ),
        migrations.CreateModel(
            name="Investigation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "subject_id",
                    models.UUIDField(help_text="The conversation's id, also when it is gone."),
                ),
                (
                    "opened_as",
                    models.CharField(
                        help_text="As what they could: owner, or platform administrator.",
                        max_length=30,
                    ),
                ),
                (
                    "ended_at",
                    models.DateTimeField(help_text="When its end was written down.", null=True),
                ),
                ("reason", models.TextField(max_length=2000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "expires_at",
                    models.DateTimeField(default=chat.models.investigations._default_expiry),
                ),
                ("notify_at", models.DateTimeField(help_text="When the member is to be told.")),
                ("notified_at", models.DateTimeField(null=True)),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="investigations",
                        to="chat.conversation",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        help_text="Whose conversation it is.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="investigations",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("notified_at", None)),
                        fields=["notify_at"],
                        name="investigation_untold",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LibraryPrompt",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("title", models.CharField(max_length=100)),
                ("text", models.TextField(max_length=20000)),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0, help_text="Lower ones come first; equal ones by title."
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="library_prompts",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "prompt",
                "verbose_name_plural": "prompts",
                "ordering": ["position", "title"],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "title"), name="one_prompt_per_title")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("role", "user")),
                fields=["tenant", "created_at"],
                include=("conversation",),
                name="message_sent",
            ),
        ),
        migrations.AddIndex(
            model_name="generation",
            index=models.Index(fields=["tenant", "queued_at"], name="generation_by_time"),
        ),
    ]
