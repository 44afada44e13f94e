// What buyers and the shop do through supabase-js.  See README.md.
import assert from 'node:assert/strict'
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { createClient } from '@supabase/supabase-js'
import pg from 'pg'
import { buy, refund } from './shop.js'
import { start } from './stand_in.js'

const SECRET = randomBytes(32).toString('hex')
const [ANN, BOB] = [randomUUID(), randomUUID()]
const db = new pg.Client()
let api, guest, ann, bob, server

// A token as Supabase Auth makes it, and a client that sends it.
function client(role, sub) {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const content = `${encode({ alg: 'HS256', typ: 'JWT' })}.${
    encode({ role, sub, exp: Math.floor(Date.now() / 1000) + 3600 })}`
  const token = `${content}.${createHmac('sha256', SECRET).update(content).digest('base64url')}`
  return createClient(api.url, token, { auth: { persistSession: false } })
}

async function run(file, owner) {
  await db.query(`SET ROLE ${owner ?? 'NONE'}`)
  await db.query(await readFile(new URL(`sql/${file}`, import.meta.url), 'utf8'))
  await db.query('RESET ROLE')
}

before(async () => {
  console.log('# against a stand-in for PostgREST (stand_in.js), not against PostgREST')
  await db.connect()
  await run('1_supabase.sql')
  await db.query(`ALTER ROLE authenticator PASSWORD ${pg.escapeLiteral(process.env.PGPASSWORD)}`)
  await run('2_superuser.sql')
  await run('3_shop.sql', 'shop_owner')
  await run('4_inventory.sql', 'shop_owner')
  await db.query(`INSERT INTO products (id, name, price, stock, purchase_limit)
    VALUES (1, 'Guitar', 900, 1, NULL), (2, 'Strings', 9.50, 100, NULL), (3, 'Ticket', 50, 100, 2)`)
  api = await start(SECRET)
  guest = client('anon')
  ann = client('authenticated', ANN)
  bob = client('authenticated', BOB)
  server = client('service_role')
})

after(async () => {
  await api?.stop()
  await db.end()
})

test('two buyers race for the last guitar: 200 and 409', async () => {
  const answers = await Promise.all([ann, bob].map((buyer) => buyer.rpc('buy_item', { p_item_id: 1 })))
  const [sold, refused] = answers.sort((a, b) => a.status - b.status)
  assert.deepEqual([sold.status, refused.status], [200, 409])
  assert.equal(refused.error.message, 'out_of_stock')
  const { data } = await guest.from('products').select('stock').eq('id', 1)
  assert.deepEqual(data, [{ stock: 0 }])
})

test('a cart: header, prices and total are made by the database, and a retry with its key is the same order', async () => {
  const key = randomUUID()
  const cart = () => buy(ann, [{ item_id: 2, quantity: 3 }], '1 High Street', key)
  const { status, order, replayed } = await cart()
  assert.deepEqual([status, replayed], [200, false])
  assert.deepEqual(await cart(), { status: 200, order, replayed: true })
  const { data: orders } = await ann.from('orders').select('user_id,shipping_address,status,total').eq('id', order)
  assert.deepEqual(orders, [{ user_id: ANN, shipping_address: '1 High Street', status: 'pending', total: 28.5 }])
  const { data: lines } = await ann.from('order_items').select('quantity,unit_price').eq('order_id', order)
  assert.deepEqual(lines, [{ quantity: 3, unit_price: 9.5 }])
})

test('a cart that is sold out leaves no order, and the same key for another cart is 422', async () => {
  const key = randomUUID()
  assert.deepEqual(await buy(bob, [{ item_id: 2 }, { item_id: 1 }], '2 High Street', key), { status: 409, refused: 'out_of_stock' })
  assert.equal((await bob.from('orders').select('id').eq('shipping_address', '2 High Street')).data.length, 0)
  assert.equal((await buy(bob, [{ item_id: 2 }], '2 High Street', key)).status, 200)
  assert.deepEqual(await buy(bob, [{ item_id: 2, quantity: 2 }], '2 High Street', key),
    { status: 422, refused: 'idempotency_key_mismatch' })
})

test('a buyer cannot name the price', async () => {
  const { status, error } = await ann.rpc('buy_item', { p_item_id: 2, p_order_data: { unit_price: 0.01 } })
  assert.deepEqual([status, error.code], [403, '42501'])
})

test("another user's id is 403", async () => {
  const { status, error } = await bob.rpc('buy_item', { p_user_id: ANN, p_item_id: 2 })
  assert.deepEqual([status, error.code], [403, '42501'])
})

test('an unknown item is 404, more than the limit 403, a quantity of 0 400, a purchase by GET 405', async () => {
  const answers = [
    await ann.rpc('buy_item', { p_item_id: 99 }),
    await ann.rpc('buy_item', { p_item_id: 3, p_quantity: 3 }),
    await ann.rpc('buy_item', { p_item_id: 2, p_quantity: 0 }),
    await ann.rpc('buy_item', { p_item_id: 2 }, { get: true }),
  ]
  assert.deepEqual(answers.map((answer) => answer.status), [404, 403, 400, 405])
  assert.deepEqual(answers.slice(0, 2).map((answer) => answer.error.message), ['item_not_found', 'purchase_limit_exceeded'])
})

test('a hold, my_reservations, and its confirmation with a header', async () => {
  const { data: hold } = await ann.rpc('reserve_stock', { p_item_id: 3, p_quantity: 2, p_ttl: '10 minutes' })
  const { data: mine } = await ann.rpc('my_reservations')
  assert.deepEqual(mine.map((line) => [line.reservation_id, line.item_id, line.quantity]), [[hold, 3, 2]])
  assert.deepEqual((await bob.rpc('my_reservations')).data, [])
  assert.equal((await bob.rpc('confirm_reservation', { p_reservation_id: hold })).status, 404)
  const { data: lines } = await ann.rpc('confirm_reservation',
    { p_reservation_id: hold, p_order_data: { header: { shipping_address: '1 High Street' } } })
  const { data: orders } = await ann.from('orders').select('total').eq('id', lines[0].header_id)
  assert.deepEqual(orders, [{ total: 100 }])
})

test('a buyer sees the orders that are his own, and a guest none', async () => {
  for (const [buyer, user] of [[ann, ANN], [bob, BOB]]) {
    const { data } = await buyer.from('orders').select('user_id')
    assert.ok(data.length > 0)
    assert.ok(data.every((order) => order.user_id === user))
  }
  const { data: all } = await server.from('order_items').select('id')
  const seen = await Promise.all([ann, bob].map((buyer) => buyer.from('order_items').select('id')))
  assert.equal(seen[0].data.length + seen[1].data.length, all.length)
  assert.equal((await guest.from('orders').select()).status, 401)
})

test('a guest reads the stock and cannot buy', async () => {
  assert.equal((await guest.from('products').select('name,price,stock')).data.length, 3)
  assert.equal((await guest.rpc('buy_item', { p_item_id: 2, p_user_id: ANN })).status, 401)
})

test('buyers and guests cannot write stock and orders, nor read the ledger', async () => {
  for (const role of ['anon', 'authenticated']) {
    for (const statement of ['UPDATE products SET stock = 1000', 'DELETE FROM orders', 'SELECT FROM stock.movements',
      'INSERT INTO order_items (order_id, product_id, quantity, unit_price) VALUES (1, 1, 1, 0)']) {
      await db.query(`SET ROLE ${role}`)
      await assert.rejects(db.query(statement), { code: '42501' })
      await db.query('RESET ROLE')
    }
  }
})

test('the server refunds and restocks; a buyer may not', async () => {
  const { data: line } = await bob.rpc('buy_item', { p_item_id: 2 })
  assert.equal((await bob.schema('stock').rpc('refund_order', { p_order_id: line })).status, 403)
  await refund(server, line)
  assert.equal((await server.schema('stock').rpc('restock_item', { p_item_id: 1, p_quantity: 1 })).status, 200)
  assert.equal((await bob.rpc('buy_item', { p_item_id: 1 })).status, 200)
})

test('the owner of the tables cannot have PostgREST answer with 409', async () => {
  await db.query('SET ROLE shop_owner')
  await assert.rejects(db.query('ALTER ROLE authenticator SET inventory.http_errors = on'), { code: '42501' })
  await db.query('RESET ROLE')
})

test('stock, ledger and orders agree', async () => {
  const { rows } = await db.query("SELECT * FROM inventory.verify('products')")
  assert.deepEqual(rows, [])
})
