"""A generation's life: what it continues and left out, pauses of deployments, titles by a model.

Two versions may run on one database meanwhile: a new column is null or has its default in the
database, so no table is written anew, and the new checks look at columns that are all null yet.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from tenants.isolation import same_tenant


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0005_queue_figures"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "deployment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="pause",
                        serialize=False,
                        to="chat.deployment",
                    ),
                ),
                (
                    "reason",
                    models.CharField(help_text="The code of the last failure.", max_length=30),
                ),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("until", models.DateTimeField()),
                (
                    "is_asked",
                    models.BooleanField(
                        default=False,
                        help_text="The provider said when; else it is our own guess.",
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=1, help_text="In a row.")),
                (
                    "probe_id",
                    models.UUIDField(help_text="The generation that tries it.", null=True),
                ),
                ("probed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="conversation",
            name="title_by",
            field=models.CharField(
                choices=[("words", "First Words"), ("model", "Model"), ("person", "Person")],
                db_default="person",
                default="words",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="deploymentgrant",
            name="fallback",
            field=models.ForeignKey(
                blank=True,
                help_text="Another of the tenant's models, which answers while this one is paused.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="chat.deployment",
            ),
        ),
        migrations.AddConstraint(
            model_name="deploymentgrant",
            constraint=models.CheckConstraint(
                condition=models.Q(("fallback", models.F("deployment")), _negated=True),
                name="fallback_is_another",
                violation_error_message="A model cannot stand in for itself.",
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="continues",
            field=models.ForeignKey(
                db_constraint=False,
                help_text="The unfinished reply that its own begins with.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="chat.message",
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="estimated_input_tokens",
            field=models.PositiveIntegerField(
                help_text="Our estimate of the prompt as it was sent.", null=True
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="left_out",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Messages of the branch that did not fit into the model's window.",
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="seen_chars",
            field=models.PositiveIntegerField(
                help_text="How much of the text the person had seen when they asked to stop.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="stands_in_for",
            field=models.ForeignKey(
                help_text="The deployment that was asked for, where a fallback answers.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="chat.deployment",
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="try_again_at",
            field=models.DateTimeField(
                help_text="When a failed one may be tried again, as the provider says.", null=True
            ),
        ),
        migrations.AddField(
            model_name="usageentry",
            name="purpose",
            field=models.CharField(
                choices=[("answer", "Answer"), ("title", "Title")],
                db_default="answer",
                default="answer",
                max_length=10,
            ),
        ),
        same_tenant("chat_generation", "continues_id", "chat_message"),
        # What is only said of it; the database is left alone.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="generation",
                    name="not_before",
                    field=models.DateTimeField(help_text="Others are to start first.", null=True),
                ),
            ]
        ),
    ]
