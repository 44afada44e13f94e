from django.db import migrations

# "keep": save() writes all columns of an object, as old as it is, but leaves the stock as it is.
ATTACH = """
    SELECT inventory.attach('shop_product', 'shop_orderline', order_header => 'shop_order',
        ledger_schema => 'shop_stock',
        header_columns => '{address}',
        order_values => '{"unit_price": "price"}',
        header_values => '{"total": "sum(price * quantity)"}',
        direct_writes => 'keep')
"""


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        # does nothing where it exists, as in a copy of template1; CreateExtension would drop it when reversed
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS inventory", migrations.RunSQL.noop),
        migrations.RunSQL(ATTACH, "SELECT inventory.detach('shop_product')"),
    ]
