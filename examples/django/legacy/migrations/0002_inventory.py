from django.db import migrations

# The values are those of orders that the functions would insert: Django's defaults are not in the database.
ATTACH = """
    SELECT inventory.attach('legacy_product', 'legacy_orderline', order_header => 'legacy_order',
        api_schema => 'legacy_stock', ledger_schema => 'legacy_stock',
        order_values => '{"unit_price": "price"}',
        header_values => $${"status": "'placed'", "created_at": "now()"}$$,
        order_writes => 'follow',
        order_units => $$CASE WHEN header.status NOT IN ('cart', 'cancelled') THEN line.quantity END$$,
        order_final => $$header.status = 'shipped'$$,
        direct_writes => 'keep')
"""


class Migration(migrations.Migration):
    dependencies = [("legacy", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS inventory", migrations.RunSQL.noop),
        # for the functions, which this shop does not call; the shop in the other app has its own in public
        migrations.RunSQL("CREATE SCHEMA IF NOT EXISTS legacy_stock", migrations.RunSQL.noop),
        migrations.RunSQL(ATTACH, "SELECT inventory.detach('legacy_product')"),
    ]
