// pg and postgres.js by themselves: what doc/drivers.md says of them. PGHOST, PGUSER and so on say where, as for psql.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import postgres from 'postgres';

const pool = new pg.Pool({ max: 2 });
const sql = postgres({ max: 2, onnotice: () => {} });
const user = randomUUID();

before(async () => {
  await pool.query('CREATE EXTENSION IF NOT EXISTS inventory');
  await pool.query('DROP SCHEMA IF EXISTS drivers CASCADE');
  await pool.query("SELECT inventory.create_store('drivers')");
});
after(() => Promise.all([pool.end(), sql.end()]));

/** The key of an item with three units. */
async function newItem() {
  const id = randomUUID();
  await pool.query('INSERT INTO drivers.items (id, stock) VALUES ($1, 3)', [id]);
  return id;
}

test('pg: lines are JSON.stringify, a ttl is a string, ids are strings, and so is a bigint', async () => {
  const item = await newItem();
  const lines = [{ item_id: item, quantity: 2 }];
  const { rows } = await pool.query('SELECT * FROM drivers.buy_cart($1, $2, $3)', [user, JSON.stringify(lines), 'pg-1']);
  assert.equal(rows[0].status, 'ok');
  assert.equal(rows[0].quantity, '2');
  await pool.query('SELECT drivers.reserve_stock($1, $2, $3, $4)', [user, item, 1, '10 minutes']);
  // an array would be one of PostgreSQL
  await assert.rejects(pool.query('SELECT * FROM drivers.buy_cart($1, $2)', [user, lines]), { code: '22P02' });
});

test('pg: a refusal is an error with code, message and detail', async () => {
  try {
    await pool.query('SELECT drivers.buy_item($1, $2, $3)', [user, await newItem(), 4]);
    assert.fail('sold 4 of 3');
  } catch (error) {
    assert.ok(error instanceof pg.DatabaseError);
    assert.deepEqual([error.code, error.message], ['IV001', 'out_of_stock']);
    assert.match(error.detail, /4/);
  }
});

test('postgres.js: lines are sql.json, a ttl is a string, ids are strings, and so is a bigint', async () => {
  const item = await newItem();
  const lines = [{ item_id: item, quantity: 2 }];
  const rows = await sql`SELECT * FROM drivers.buy_cart(${user}, ${sql.json(lines)}, ${'postgres-1'})`;
  assert.equal(rows[0].status, 'ok');
  assert.equal(rows[0].quantity, '2');
  await sql`SELECT drivers.reserve_stock(${user}, ${item}, ${1}, ${'10 minutes'})`;
  // would be a JSON string with JSON in it
  await assert.rejects(sql`SELECT * FROM drivers.buy_cart(${user}, ${JSON.stringify(lines)}::jsonb)`, { code: '22023' });
});

test('postgres.js: a refusal is an error with code, message and detail', async () => {
  try {
    await sql`SELECT drivers.buy_item(${user}, ${await newItem()}, ${4})`;
    assert.fail('sold 4 of 3');
  } catch (error) {
    assert.ok(error instanceof postgres.PostgresError);
    assert.deepEqual([error.code, error.message], ['IV001', 'out_of_stock']);
    assert.match(error.detail, /4/);
  }
});
