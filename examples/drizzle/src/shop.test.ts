import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { and, eq, sql } from 'drizzle-orm';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import { FOLLOW } from './follow.js';
import { orderItems, orders, products } from './schema.js';
import { buy, buyCart, confirm, hold, refund, refusalOf } from './shop.js';

const pool = new Pool({ connectionString: process.env['DATABASE_URL'] });
const db: NodePgDatabase = drizzle(pool);
after(() => pool.end());

const [guitar, poster] = (await db.insert(products).values([
    { name: 'Guitar', price: '1200', stock: 1 },
    { name: 'Poster', price: '35', stock: 10, purchaseLimit: 4 },
]).returning({ id: products.id })).map(({ id }) => id) as [number, number];

const stockOf = async (id: number) => (await db.select().from(products).where(eq(products.id, id)))[0]?.stock;
const refused = (work: Promise<unknown>, name: string) =>
    assert.rejects(work, (error) => refusalOf(error) === name || assert.fail(error as Error));
const verify = async () => (await db.execute(sql`SELECT * FROM inventory.verify('products')`)).rows;

test('the last guitar is sold once, and the answer to a retry is the same', async () => {
    const id = await buy(db, 'ann', guitar, 1, 'click-1');
    assert.equal(await buy(db, 'ann', guitar, 1, 'click-1'), id);
    await refused(buy(db, 'bob', guitar, 1, 'click-2'), 'out_of_stock');
    const [item] = await db.select({ user: orders.userId, price: orderItems.price }).from(orderItems)
        .innerJoin(orders, eq(orders.id, orderItems.orderId)).where(eq(orderItems.id, id));
    assert.deepEqual(item, { user: 'ann', price: '1200.00' });
    await refund(db, id);
    assert.equal(await stockOf(guitar), 1);
    await refused(refund(db, id), 'refund_exceeds_order');
});

test('a cart is one order, or none', async () => {
    const lines = [{ item_id: guitar, quantity: 1 }, { item_id: poster, quantity: 2 }];
    const [line] = await buyCart(db, 'ann', lines, 'cart-1');
    assert.equal((await buyCart(db, 'ann', lines, 'cart-1'))[0]?.replayed, true);
    assert.equal(await db.$count(orderItems, eq(orderItems.orderId, line!.header_id)), 2);
    const before = await db.$count(orders);
    await refused(db.transaction((tx) => buyCart(tx, 'bob', lines, 'cart-2')), 'out_of_stock');
    assert.equal(await db.$count(orders), before);
    await refused(buy(db, 'ann', poster, 3, 'click-3'), 'purchase_limit_exceeded');
});

test('a hold becomes an order, once', async () => {
    const reservation = await hold(db, 'bob', poster, '10 minutes', 'hold-1');
    assert.equal(await stockOf(poster), 7);
    await refused(confirm(db, 'cleo', reservation), 'reservation_not_found');
    const [line] = await confirm(db, 'bob', reservation);
    assert.equal((await confirm(db, 'bob', reservation))[0]?.order_id, line?.order_id);
});

test('a bound column gets another type by retype', async () => {
    await assert.rejects(db.execute(sql`ALTER TABLE products ALTER COLUMN stock SET DATA TYPE bigint`),
        (error: Error) => /cannot alter the type of column/.test((error.cause as Error).message));
    await db.execute(sql`SELECT inventory.retype('products', 'stock', 'bigint')`);
    await db.execute(sql`SELECT inventory.retype('products', 'stock', 'integer')`);
    assert.deepEqual(await verify(), []);
});

const place = (userId: string, productId: number, price: string) => db.transaction(async (tx) => {
    const [order] = await tx.insert(orders).values({ userId }).returning();
    await tx.insert(orderItems).values([{ orderId: order!.id, productId, quantity: 1, price }]);
    return order!;
});

test('from here on the stock follows the orders that the shop writes itself', async () => {
    await db.execute(FOLLOW);
    await db.execute(sql`SELECT stock.count_stock(${guitar}, 1)`);
    const order = await place('ann', guitar, '1200');
    assert.equal(await stockOf(guitar), 0);
    const before = await db.$count(orders);
    await refused(place('bob', guitar, '1200'), 'out_of_stock');
    assert.equal(await db.$count(orders), before);
    await db.update(orders).set({ status: 'cancelled' }).where(and(eq(orders.id, order.id), eq(orders.status, 'placed')));
    assert.equal(await stockOf(guitar), 1);
});

test('20 orders at once for 5 posters', async () => {
    await db.execute(sql`SELECT stock.count_stock(${poster}, 5)`);
    const placed = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => place(`buyer-${i}`, poster, '35')));
    const refusals = placed.flatMap((order) => (order.status === 'rejected' ? [refusalOf(order.reason)] : []));
    assert.deepEqual(refusals, Array<string>(15).fill('out_of_stock'));
    assert.equal(await stockOf(poster), 0);
});

test('every unit is accounted for', async () => {
    assert.deepEqual(await verify(), []);
});
