"""The queue's line in the log counts what has just failed: an index of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0004_isolation")]
    operations = [
        migrations.AddIndex(
            model_name="generation",
            index=models.Index(
                fields=["ended_at"],
                condition=models.Q(status="failed"),
                name="generation_failed",
            ),
        )
    ]
