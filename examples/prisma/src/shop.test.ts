import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.js';
import { refusalOf } from './refusal.js';
import { buy, buyCart, confirm, hold, refund } from './shop.js';

// without DATABASE_URL the adapter reads PGHOST, PGUSER and so on
const db = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env['DATABASE_URL'] }) });
after(() => db.$disconnect());

await db.product.createMany({ data: [
    { id: 'guitar', name: 'Guitar', price: 1200, stock: 1 },
    { id: 'poster', name: 'Poster', price: 35, stock: 10, purchaseLimit: 4 },
] });

const stockOf = async (id: string) => (await db.product.findUniqueOrThrow({ where: { id } })).stock;
const refused = (work: Promise<unknown>, message: string) =>
    assert.rejects(work, (error) => refusalOf(error)?.message === message || assert.fail(error as Error));
const verify = () => db.$queryRaw`SELECT * FROM inventory.verify('"Product"')`;

test('the last guitar is sold once, and the answer to a retry is the same', async () => {
    const id = await buy(db, 'ann', 'guitar', 1, 'click-1');
    assert.equal(await buy(db, 'ann', 'guitar', 1, 'click-1'), id);
    await refused(buy(db, 'bob', 'guitar', 1, 'click-2'), 'out_of_stock');
    const item = await db.orderItem.findUniqueOrThrow({ where: { id }, include: { order: true } });
    assert.equal(item.order.userId, 'ann');
    assert.equal(item.price.toString(), '1200');
    await refund(db, id);
    assert.equal(await stockOf('guitar'), 1);
    await refused(refund(db, id), 'refund_exceeds_order');
});

test('a cart is one order, or none', async () => {
    const lines = [{ item_id: 'guitar', quantity: 1 }, { item_id: 'poster', quantity: 2 }];
    const sold = await buyCart(db, 'ann', lines, 'cart-1');
    assert.equal((await buyCart(db, 'ann', lines, 'cart-1'))[0]?.replayed, true);
    const order = await db.order.findUniqueOrThrow({ where: { id: sold[0]!.header_id }, include: { items: true } });
    assert.equal(order.items.length, 2);
    const orders = await db.order.count();
    await refused(buyCart(db, 'bob', lines, 'cart-2'), 'out_of_stock');
    assert.equal(await db.order.count(), orders);
    assert.equal(await stockOf('poster'), 8);
    await refused(buy(db, 'ann', 'poster', 3, 'click-3'), 'purchase_limit_exceeded');
});

test('a hold becomes an order, once', async () => {
    const reservation = await hold(db, 'bob', 'poster', 10, 'hold-1');
    assert.equal(await stockOf('poster'), 7);
    await refused(confirm(db, 'cleo', reservation), 'reservation_not_found');
    const [line] = await confirm(db, 'bob', reservation);
    assert.equal((await confirm(db, 'bob', reservation))[0]?.order_id, line?.order_id);
});

test('a bound column gets another type by retype', async () => {
    await assert.rejects(db.$executeRaw`ALTER TABLE "Product" ALTER COLUMN stock TYPE bigint`, /cannot alter the type of column/);
    await db.$queryRaw`SELECT inventory.retype('"Product"', 'stock', 'bigint')::text`;
    await db.$queryRaw`SELECT inventory.retype('"Product"', 'stock', 'integer')::text`;
    assert.deepEqual(await verify(), []);
});

test('from here on the stock follows the orders that the shop writes itself', async () => {
    await db.$executeRawUnsafe(await readFile('prisma/follow.sql', 'utf8'));
    await db.$queryRaw`SELECT stock.count_stock('guitar', 1)`;
    const place = (id: string, userId: string) => db.order.create({
        data: { id, userId, items: { create: [{ productId: 'guitar', quantity: 1, price: 1200 }] } },
    });
    const id = crypto.randomUUID();
    await place(id, 'ann');
    assert.equal(await stockOf('guitar'), 0);
    await refused(place(crypto.randomUUID(), 'bob'), 'out_of_stock');
    assert.equal(await db.order.count({ where: { userId: 'bob', items: { none: {} } } }), 0);
    // a retry with the id that the client chose
    await assert.rejects(place(id, 'ann'), { code: 'P2002' });
    await db.order.update({ where: { id }, data: { status: 'cancelled' } });
    assert.equal(await stockOf('guitar'), 1);
});

test('20 orders at once for 5 posters', async () => {
    await db.$queryRaw`SELECT stock.count_stock('poster', 5)`;
    const orders = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => db.order.create({
        data: { userId: `buyer-${i}`, items: { create: [{ productId: 'poster', quantity: 1, price: 35 }] } },
    })));
    const refusals = orders.flatMap((order) => (order.status === 'rejected' ? [refusalOf(order.reason)?.message] : []));
    assert.deepEqual(refusals, Array<string>(15).fill('out_of_stock'));
    assert.equal(await stockOf('poster'), 0);
});

test('every unit is accounted for', async () => {
    assert.deepEqual(await verify(), []);
});
