import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import database from './database.js';
import { Order, Product } from './entities.js';
import { FOLLOW } from './migrations.js';
import { buy, buyCart, confirm, hold, refund, refusalOf } from './shop.js';

await database.initialize();
await database.runMigrations();
const db = database.manager;
after(() => database.destroy());

const [guitar, poster] = await db.save(Product, [
    { name: 'Guitar', price: '1200', stock: 1 },
    { name: 'Poster', price: '35', stock: 10, purchaseLimit: 4 },
]) as [Product, Product];

const stockOf = async ({ id }: Product) => (await db.findOneByOrFail(Product, { id })).stock;
const refused = (work: Promise<unknown>, name: string) =>
    assert.rejects(work, (error) => refusalOf(error) === name || assert.fail(error as Error));
const verify = () => db.query<unknown[]>(`SELECT * FROM inventory.verify('product')`);

test('the last guitar is sold once, and the answer to a retry is the same', async () => {
    const id = await buy(db, 'ann', guitar.id, 1, 'click-1');
    assert.equal(await buy(db, 'ann', guitar.id, 1, 'click-1'), id);
    await refused(buy(db, 'bob', guitar.id, 1, 'click-2'), 'out_of_stock');
    const order = await db.findOneOrFail(Order, { where: { items: { id } }, relations: { items: true } });
    assert.equal(order.userId, 'ann');
    assert.equal(order.items[0]?.price, '1200.00');
    await refund(db, id);
    assert.equal(await stockOf(guitar), 1);
    await refused(refund(db, id), 'refund_exceeds_order');
});

test('a cart is one order, or none', async () => {
    const lines = [{ item_id: guitar.id, quantity: 1 }, { item_id: poster.id, quantity: 2 }];
    const [line] = await buyCart(db, 'ann', lines, 'cart-1');
    assert.equal((await buyCart(db, 'ann', lines, 'cart-1'))[0]?.replayed, true);
    const order = await db.findOneOrFail(Order, { where: { id: line!.header_id }, relations: { items: true } });
    assert.equal(order.items.length, 2);
    const orders = await db.count(Order);
    await refused(database.transaction((tx) => buyCart(tx, 'bob', lines, 'cart-2')), 'out_of_stock');
    assert.equal(await db.count(Order), orders);
    await refused(buy(db, 'ann', poster.id, 3, 'click-3'), 'purchase_limit_exceeded');
});

test('a hold becomes an order, once', async () => {
    const reservation = await hold(db, 'bob', poster.id, '10 minutes', 'hold-1');
    assert.equal(await stockOf(poster), 7);
    await refused(confirm(db, 'cleo', reservation), 'reservation_not_found');
    const [line] = await confirm(db, 'bob', reservation);
    assert.equal((await confirm(db, 'bob', reservation))[0]?.order_id, line?.order_id);
});

test('the version of a product is that of its last sale', async () => {
    const { version } = await db.findOneByOrFail(Product, { id: poster.id });
    await buy(db, 'dan', poster.id, 1, 'click-4');
    assert.equal((await db.findOneByOrFail(Product, { id: poster.id })).version, version + 1);
});

test('synchronize leaves the objects of inventory alone, and a bound column gets another type by retype', async () => {
    assert.deepEqual((await database.driver.createSchemaBuilder().log()).upQueries, []);
    await assert.rejects(db.query('ALTER TABLE product ALTER COLUMN stock TYPE bigint'), /cannot alter the type of column/);
    await db.query(`SELECT inventory.retype('product', 'stock', 'bigint')`);
    await db.query(`SELECT inventory.retype('product', 'stock', 'integer')`);
    assert.deepEqual(await verify(), []);
});

const place = (userId: string, product: Product) =>
    db.save(Order, { userId, items: [{ product, quantity: 1, price: product.price }] });

test('from here on the stock follows the orders that the shop writes itself', async () => {
    await db.query(FOLLOW);
    await db.query('SELECT stock.count_stock($1, 1)', [guitar.id]);
    const order = await place('ann', guitar);
    assert.equal(await stockOf(guitar), 0);
    const orders = await db.count(Order);
    await refused(place('bob', guitar), 'out_of_stock');
    assert.equal(await db.count(Order), orders);
    await db.save(Order, { id: order.id, status: 'cancelled' });
    assert.equal(await stockOf(guitar), 1);
});

test('20 orders at once for 5 posters', async () => {
    await db.query('SELECT stock.count_stock($1, 5)', [poster.id]);
    const orders = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => place(`buyer-${i}`, poster)));
    const refusals = orders.flatMap((order) => (order.status === 'rejected' ? [refusalOf(order.reason)] : []));
    assert.deepEqual(refusals, Array<string>(15).fill('out_of_stock'));
    assert.equal(await stockOf(poster), 0);
});

test('every unit is accounted for', async () => {
    assert.deepEqual(await verify(), []);
});
