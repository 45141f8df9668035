"""Names are one line, without control characters; `is_staff` gives nothing. No change of tables."""

from django.db import migrations, models

from tenants.validators import validate_name


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_isolation")]
    operations = [
        migrations.AlterField(
            model_name="tenant",
            name="name",
            field=models.CharField(max_length=100, validators=[validate_name]),
        ),
        migrations.AlterField(
            model_name="user",
            name="name",
            field=models.CharField(blank=True, max_length=150, validators=[validate_name]),
        ),
        migrations.AlterField(
            model_name="user",
            name="is_staff",
            field=models.BooleanField(
                default=False, help_text="Django's own field; it gives nothing here."
            ),
        ),
    ]
