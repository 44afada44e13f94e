from django.db import migrations, models


class Migration(migrations.Migration):
    """AlterField of a column that a store uses is refused (0A000): retype changes it together with the ledger."""

    dependencies = [("shop", "0002_inventory")]
    operations = [
        migrations.RunSQL(
            "SELECT inventory.retype('shop_product', 'stock', 'bigint')",
            "SELECT inventory.retype('shop_product', 'stock', 'integer')",
            state_operations=[
                migrations.AlterField("product", "stock", models.PositiveBigIntegerField(default=0)),
            ],
        ),
    ]
