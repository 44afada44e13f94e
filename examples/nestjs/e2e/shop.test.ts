// Runs the shop, and buys in it with real browser tabs.  Writes TAP.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Pool } from 'pg';
import { type Browser, chromium, type Page } from 'playwright-core';
import { refusalOf } from '../src/refusals.js';

const GUITAR = 1;
const POSTER = 2;
const MISSING = 99;
const HOLD_FOR = '3 seconds';

const pool = new Pool();
const shop = spawn(process.execPath, ['dist/src/main.js'], {
    env: { ...process.env, PORT: '0', HOLD_FOR }, stdio: ['ignore', 'pipe', 'inherit'],
});
let url: string;
let browser: Browser;

before(async () => {
    url = await new Promise<string>((resolve, reject) => {
        shop.on('exit', (code) => reject(new Error(`the shop ended with ${code}`)));
        shop.stdout.on('data', (text: Buffer) => {
            const found = /the shop is at (http:\S+)/.exec(text.toString())?.[1];
            if (found) resolve(found);
        });
    });
    browser = await chromium.launch({
        executablePath: '/usr/bin/chromium', chromiumSandbox: false, args: ['--disable-dev-shm-usage'],
    });
});

after(async () => {
    await browser.close();
    shop.removeAllListeners('exit').kill();
    await pool.end();
});

// open: a tab of a buyer; of the same one as another tab, if that is given
async function open(product: number, beside?: Page): Promise<Page> {
    const context = beside?.context() ?? await browser.newContext();
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    await page.goto(`${url}/products/${product}`);
    await page.locator('#stock').filter({ hasText: /left|Sold out/ }).waitFor();
    return page;
}

const stockOf = (page: Page) => page.locator('#stock').innerText();
const ordersOf = (page: Page) => page.locator('#orders li').allInnerTexts();

// message: what the page says next, once it matches
async function message(page: Page, expected: RegExp): Promise<string> {
    const text = page.getByRole('status').filter({ hasText: expected });
    await text.waitFor();
    return text.innerText();
}

async function click(page: Page, button: string, expected: RegExp): Promise<string> {
    await page.getByRole('button', { name: button, exact: true }).click();
    return message(page, expected);
}

interface Answer { status: number; body: Record<string, unknown> }

// request: without a browser, as buyer `buyer`
async function request(method: string, path: string, buyer: string, body?: object, key?: string): Promise<Answer> {
    const response = await fetch(`${url}/api/${path}`, {
        method,
        headers: { Cookie: `buyer=${buyer}`, 'Content-Type': 'application/json', ...(key ? { 'Idempotency-Key': key } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = await response.json() as Record<string, unknown>;
    // what the buyer reads has nothing of DETAIL or HINT in it, no key and no name of an error
    assert.doesNotMatch(String(answer['message']), /[_"]|asked for|restock|[0-9a-f]{8}-/);
    return { status: response.status, body: answer };
}

const buy = (product: number, quantity: number, buyer: string = randomUUID(), key: string = randomUUID()) =>
    request('POST', `products/${product}/buy`, buyer, { quantity }, key);

async function restock(product: number, stock: number): Promise<void> {
    await pool.query('SELECT shop_stock.count_stock($1, $2)', [product, stock]);
}

async function ordered(product: number): Promise<number> {
    const { rows } = await pool.query<{ units: string }>(
        'SELECT coalesce(sum(quantity), 0) AS units FROM shop.orders WHERE product_id = $1', [product]);
    return Number(rows[0]?.units);
}

test('the page shows the product, its price and what is left', async () => {
    const page = await open(GUITAR);
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Hollow-body guitar');
    assert.equal(await page.locator('#price').innerText(), '€1,200.00');
    assert.equal(await stockOf(page), '1 left');
    assert.equal(await page.locator('#held').isVisible(), false);
});

test('two tabs race for the last guitar: one has the order, the other reads "Out of stock."', async () => {
    for (const sameBuyer of [false, true]) {
        const sold = await ordered(GUITAR);
        await restock(GUITAR, 1);
        const one = await open(GUITAR);
        const tabs = [one, await open(GUITAR, sameBuyer ? one : undefined)];
        assert.deepEqual(await Promise.all(tabs.map(stockOf)), ['1 left', '1 left']);
        const said = await Promise.all(tabs.map((tab) => click(tab, 'Buy now', /yours|Out of stock/)));
        assert.match(said.sort().join(' '), /^It is yours: order \d+\. Out of stock\.$/);
        assert.equal(await ordered(GUITAR), sold + 1);
        await Promise.all(tabs.map((tab) => tab.locator('#stock', { hasText: 'Sold out' }).waitFor()));
        assert.equal(await tabs[0]?.getByRole('button', { name: 'Buy now' }).isDisabled(), true);
    }
});

test('a double click is one order', async () => {
    await restock(POSTER, 10);
    const page = await open(POSTER);
    const keys: (string | undefined)[] = [];
    page.on('request', (sent) => { if (sent.url().endsWith('/buy')) keys.push(sent.headers()['idempotency-key']); });
    await page.getByRole('button', { name: 'Buy now' }).dblclick();
    await message(page, /yours/);
    await page.locator('#stock', { hasText: '9 left' }).waitFor();
    await page.waitForLoadState('networkidle');
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
    assert.equal((await ordersOf(page)).length, 1);
    // and the next click is the next order
    await click(page, 'Buy now', /yours/);
    await page.locator('#stock', { hasText: '8 left' }).waitFor();
    assert.equal((await ordersOf(page)).length, 2);
});

test('a purchase whose answer is lost is repeated with its key', async () => {
    const sold = await ordered(POSTER);
    await restock(POSTER, 10);
    const page = await open(POSTER);
    await page.route('**/buy', async (route) => {
        await route.fetch();    // the shop sells, and the buyer does not hear of it
        await route.abort();
    }, { times: 1 });
    await click(page, 'Buy now', /No connection/);
    await click(page, 'Buy now', /yours/);
    assert.equal(await ordered(POSTER), sold + 1);
    await page.locator('#orders li').waitFor();
    assert.equal((await ordersOf(page)).length, 1);
    assert.equal(await stockOf(page), '9 left');
});

test('a flash sale: 50 buyers at once, 10 posters, exactly 10 orders', async () => {
    await restock(POSTER, 10);
    const sold = await ordered(POSTER);
    const answers = await Promise.all(Array.from({ length: 50 }, () => buy(POSTER, 1)));
    assert.equal(answers.filter(({ status }) => status === 201).length, 10);
    const refused = answers.filter(({ status }) => status !== 201);
    assert.deepEqual(new Set(refused.map(({ status, body }) => `${status} ${body['message']}`)), new Set(['409 Out of stock.']));
    assert.equal(await ordered(POSTER), sold + 10);
    assert.equal(await stockOf(await open(POSTER)), 'Sold out');
});

test('a hold counts down and expires, and the guitar is for sale again', async () => {
    await restock(GUITAR, 1);
    const one = await open(GUITAR);
    await click(one, 'Hold it', /is on hold for you/);
    assert.match(await one.getByRole('timer').innerText(), /^0:0[1-3] left$/);
    assert.equal(await stockOf(one), 'On hold for you');
    const other = await open(GUITAR);
    assert.equal(await stockOf(other), 'Sold out');
    await message(one, /The hold has expired/);
    await one.locator('#stock', { hasText: '1 left' }).waitFor();
    assert.equal(await one.locator('#held').isVisible(), false);
    await other.reload();
    await click(other, 'Buy now', /yours/);
});

test('what is on hold can be bought, or given back', async () => {
    await restock(GUITAR, 1);
    const page = await open(GUITAR);
    await click(page, 'Hold it', /is on hold for you/);
    await click(page, 'Give it back', /given it back/);
    await page.locator('#stock', { hasText: '1 left' }).waitFor();
    await click(page, 'Hold it', /is on hold for you/);
    await click(page, 'Buy what is on hold', /yours/);
    await page.locator('#orders li').waitFor();
    assert.equal(await stockOf(page), 'Sold out');
    // the button is gone, and who works without a mouse goes on from the message
    await page.locator('#message:focus').waitFor();
});

test('a refund puts the guitar back, once, and only for its buyer', async () => {
    await restock(GUITAR, 1);
    const page = await open(GUITAR);
    const order = /order (\d+)/.exec(await click(page, 'Buy now', /yours/))?.[1];
    assert.equal((await request('POST', `orders/${order}/refund`, randomUUID())).status, 404);
    await click(page, `Refund order ${order}`, /is refunded/);
    await page.locator('#stock', { hasText: '1 left' }).waitFor();
    assert.match((await ordersOf(page))[0] ?? '', /Refunded/);
    const buyer = (await page.context().cookies()).find(({ name }) => name === 'buyer')?.value ?? '';
    assert.deepEqual(await request('POST', `orders/${order}/refund`, buyer),
        { status: 409, body: { error: 'refund_exceeds_order', message: 'This order has already been refunded.' } });
});

test('each refusal has its status and a text for the buyer', async () => {
    const buyer = randomUUID();
    await restock(POSTER, 5);
    await pool.query('UPDATE shop.products SET purchase_limit = 2 WHERE id = $1', [POSTER]);
    const answer = async (sent: Promise<Answer>) => { const { status, body } = await sent; return [status, body['error'], body['message']]; };
    assert.deepEqual(await answer(buy(POSTER, 3)), [403, 'purchase_limit_exceeded', 'This is more than one customer may buy.']);
    await pool.query('UPDATE shop.products SET purchase_limit = NULL WHERE id = $1', [POSTER]);
    assert.deepEqual(await answer(buy(POSTER, 6)), [409, 'out_of_stock', 'Out of stock.']);
    assert.deepEqual(await answer(buy(MISSING, 1)), [404, 'item_not_found', 'This product is not for sale.']);
    assert.deepEqual(await answer(buy(POSTER, 0)), [400, 'invalid', 'This cannot be ordered.']);
    await buy(POSTER, 1, buyer, 'click');
    assert.deepEqual(await answer(buy(POSTER, 2, buyer, 'click')), [422, 'idempotency_key_mismatch', 'Please reload the page and try again.']);
    const { body } = await request('POST', `products/${POSTER}/hold`, buyer, { quantity: 1 }, 'hold');
    const hold = `holds/${body['reservationId']}`;
    assert.deepEqual(await answer(request('POST', `${hold}/confirm`, randomUUID())), [404, 'reservation_not_found', 'Nothing is on hold for you here.']);
    await request('DELETE', hold, buyer);
    assert.deepEqual(await answer(request('POST', `${hold}/confirm`, buyer)), [409, 'reservation_released', 'You have given this back.']);
    assert.equal((await request('POST', `products/${POSTER}/buy`, buyer, { quantity: 1 })).status, 400);
    assert.equal((await request('POST', `products/${POSTER}/buy`, buyer, { quantity: '1' }, 'text')).status, 400);
});

test('every error of the reference is known, with its HTTP status', async () => {
    const reference = await readFile('../../doc/reference.md', 'utf8');
    const rows = [...reference.matchAll(/^\| (IV\d{3}) \| (\w+) \| PT(\d{3}) \|/gm)];
    assert.ok(rows.length >= 15);
    for (const [, code = '', name = '', status = ''] of rows) {
        for (const sqlstate of [code, `PT${status}`]) {
            const refusal = refusalOf(name, sqlstate);
            assert.equal(refusal?.status, Number(status), name);
            assert.match(refusal?.text ?? '', /^[A-Z][^_"]+\.$/, name);
        }
    }
    assert.equal(refusalOf('out_of_stock', 'P0001'), undefined);
    assert.equal(refusalOf('column "x" does not exist', '42703')?.status, 400);
    assert.equal(refusalOf('relation "x" does not exist', '42P01'), undefined);
});

test('afterwards every unit is accounted for', async () => {
    assert.deepEqual((await pool.query(`SELECT * FROM inventory.verify('shop.products')`)).rows, []);
});
