// A stand-in for PostgREST, as far as shop.test.js needs it.  It follows the rules that PostgREST
// documents: the role is that of the token, else anon; a request is a transaction, read-only for GET
// and for functions that are not VOLATILE; the claims are in request.jwt.claims; and a SQLSTATE has
// an HTTP status, which PTxyz names.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import pg from 'pg'

const SCHEMAS = ['public', 'stock']    // db-schemas
// the first that fits; others are 400
const STATUS = [['23503', 409], ['23505', 409], ['25006', 405], ['25', 500], ['28', 403], ['40', 500], ['53400', 500],
  ['53', 503], ['54', 500], ['55', 500], ['57', 500], ['42883', 404], ['42P01', 404], ['42P17', 500], ['XX', 500]]

const refusal = (status, code, message) => Object.assign(new Error(message), { status, code })

function claimsOf(authorization, secret) {
  const token = authorization?.match(/^Bearer (.+)$/)?.[1]
  if (!token) return { role: 'anon' }
  const [head, body, signature] = token.split('.')
  const expected = createHmac('sha256', secret).update(`${head}.${body}`).digest()
  const given = Buffer.from(signature ?? '', 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw refusal(401, 'PGRST301', 'No suitable key or wrong key type')
  }
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  if (claims.exp < Date.now() / 1000) throw refusal(401, 'PGRST303', 'JWT expired')
  return { role: 'anon', ...claims }
}

function statusOf(code, role) {
  if (/^PT\d{3}$/.test(code)) return Number(code.slice(2))
  if (code === '42501') return role === 'anon' ? 401 : 403
  return STATUS.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 400
}

// The function of this name that takes these arguments, as the schema cache knows it.
async function functionOf(db, schema, name, given) {
  const { rows } = await db.query(`
    SELECT p.provolatile = 'v' AS writes, p.proretset AS is_set, p.pronargs - p.pronargdefaults AS required,
        (p.proargnames)[:p.pronargs]::text[] AS names,
        ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, n) ORDER BY n) AS types
    FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace($1) AND p.proname = $2`, [pg.escapeIdentifier(schema), name])
  const found = rows.find((f) => given.every((argument) => f.names?.includes(argument))
    && (f.names ?? []).slice(0, f.required).every((argument) => given.includes(argument)))
  if (!found) throw refusal(404, 'PGRST202', `Could not find the function ${schema}.${name} in the schema cache`)
  return found
}

async function call(db, schema, name, args) {
  const f = await functionOf(db, schema, name, Object.keys(args))
  const list = Object.keys(args).map((key, i) =>
    `${pg.escapeIdentifier(key)} => $${i + 1}::${f.types[f.names.indexOf(key)]}`)
  const values = Object.values(args).map((v) => (v !== null && typeof v === 'object' ? JSON.stringify(v) : v))
  return {
    readOnly: !f.writes,
    sql: `SELECT coalesce(json_agg(r)${f.is_set ? '' : ' -> 0'}, '${f.is_set ? '[]' : 'null'}')::text AS body
          FROM ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}(${list}) AS r`,
    values,
  }
}

// select=a,b and filters such as id=eq.1; nothing else
function read(schema, table, parameters) {
  const columns = (parameters.get('select') ?? '*').split(',').map((c) => (c === '*' ? c : pg.escapeIdentifier(c)))
  const filters = [...parameters].filter(([key]) => key !== 'select')
  if (filters.some(([, value]) => !value.startsWith('eq.'))) throw refusal(400, 'PGRST100', 'not in the stand-in')
  return {
    readOnly: true,
    sql: `SELECT coalesce(json_agg(r), '[]')::text AS body FROM (SELECT ${columns} FROM ${pg.escapeIdentifier(schema)}.${
      pg.escapeIdentifier(table)} WHERE true ${filters.map(([key], i) => `AND ${pg.escapeIdentifier(key)} = $${i + 1}`).join(' ')}) AS r`,
    values: filters.map(([, value]) => value.slice('eq.'.length)),
  }
}

async function answer(pool, request, body, claims) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  const [, rpc, name] = pathname.match(/^\/rest\/v1\/(rpc\/)?(\w+)$/) ?? []
  const schema = request.headers['content-profile'] ?? request.headers['accept-profile'] ?? SCHEMAS[0]
  if (!name) throw refusal(404, 'PGRST125', 'Invalid path specified in request URL')
  if (!SCHEMAS.includes(schema)) throw refusal(406, 'PGRST106', `Invalid schema: ${schema}`)
  const get = request.method === 'GET'
  const db = await pool.connect()
  try {
    const { readOnly, sql, values } = rpc
      ? await call(db, schema, name, get ? Object.fromEntries(searchParams) : JSON.parse(body || '{}'))
      : read(schema, name, searchParams)
    await db.query(get || readOnly ? 'BEGIN READ ONLY' : 'BEGIN')
    await db.query(`SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`,
      [claims.role, JSON.stringify(claims)])
    const { rows } = await db.query(sql, values)
    await db.query('COMMIT')
    return rows[0].body
  } finally {
    await db.query('ROLLBACK')
    db.release()
  }
}

export async function start(secret) {
  const pool = new pg.Pool({ user: 'authenticator', max: 10 })
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray()
    let [status, text, claims] = [200, '', { role: 'anon' }]
    try {
      claims = claimsOf(request.headers.authorization, secret)
      text = await answer(pool, request, Buffer.concat(chunks).toString(), claims)
    } catch (error) {
      status = error.status ?? statusOf(error.code ?? 'XX000', claims.role)
      text = JSON.stringify({ code: error.code, message: error.message, details: error.detail, hint: error.hint })
    }
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(text)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: async () => { server.close(); server.closeAllConnections(); await pool.end() },
  }
}
