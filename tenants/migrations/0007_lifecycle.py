"""Limits for one member, and titles by a model."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0006_clean_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="generates_titles",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Whether the default model names new conversations; it is billed like an answer.",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="max_queued_per_member",
            field=models.PositiveIntegerField(
                db_default=20,
                default=20,
                help_text="How many messages of one member may wait; a further one is refused.",
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="max_running_per_member",
            field=models.PositiveIntegerField(
                db_default=10,
                default=10,
                help_text="How many of them may be one member's.",
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
    ]
