// Runs migrations as `prisma migrate deploy` does, with its schema engine compiled for WebAssembly: the package registry
// does not have the other one.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import { PrismaClient } from './generated/client.js';

const file = import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/js$/, 'wasm');
const { instance } = await WebAssembly.instantiate(await readFile(fileURLToPath(file)), { './schema_engine_bg.js': { ...engine } });
const { __wbg_set_wasm: setModule } = engine as unknown as { __wbg_set_wasm(module: WebAssembly.Exports): void };
setModule(instance.exports);
(instance.exports['__wbindgen_start'] as () => void)();

const pg = new PrismaPg({ connectionString: process.env['DATABASE_URL'] });
const db = new PrismaClient({ adapter: pg });
after(() => db.$disconnect());

// The other engine sends a migration as it is, and the adapter would split it at each semicolon.
let refusal: { code?: string } = {};
const connect = async () => {
    const adapter = await pg.connect();
    adapter.executeScript = (script) => adapter.underlyingDriver().query(script).then(() => {}, (error) => {
        refusal = error as { code?: string };
        throw error;
    });
    return adapter;
};
const schema = await readFile('prisma/schema.prisma', 'utf8');
const migrate = await engine.SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => {},
    bindMigrationAwareSqlAdapterFactory(Object.assign(Object.create(pg) as PrismaPg, { connect })));

const names = (await readdir('prisma/migrations')).filter((name) => !name.includes('.')).sort();
const script = (name: string) => readFile(`prisma/migrations/${name}/migration.sql`, 'utf8');
const scripts = await Promise.all(names.map(async (path) => ({ path, value: await script(path) })));

async function deploy(migrations: { path: string; value: string }[]): Promise<string[]> {
    const { appliedMigrationNames } = await migrate.applyMigrations({
        filters: { externalTables: [], externalEnums: [] },
        migrationsList: {
            baseDir: 'prisma/migrations',
            lockfile: { path: 'migration_lock.toml', content: await readFile('prisma/migrations/migration_lock.toml', 'utf8') },
            shadowDbInitScript: '',
            migrationDirectories: migrations.map(({ path, value }) =>
                ({ path, migrationFile: { path: 'migration.sql', content: { tag: 'ok', value } } })),
        },
    });
    return appliedMigrationNames;
}

test('migrate deploy makes the tables and attaches them, once', async () => {
    assert.deepEqual(await deploy(scripts.slice(0, 2)), ['1_shop', '2_inventory']);
    assert.deepEqual(await deploy(scripts.slice(0, 2)), []);
    await db.$executeRaw`INSERT INTO "Product" (id, name, price, stock) VALUES ('capo', 'Capo', 15, 5)`;
    await db.$queryRaw`SELECT buy_item('ann', 'capo', 2)`;
});

test('what Prisma writes for another type of a bound column is refused', async () => {
    const value = 'ALTER TABLE "Product" ALTER COLUMN "stock" SET DATA TYPE INTEGER;';
    await assert.rejects(deploy([...scripts.slice(0, 2), { path: '3_stock', value }]));
    assert.equal(refusal.code, '0A000');
    await assert.rejects(deploy(scripts), { code: 'P3009' });
    // prisma migrate resolve --rolled-back 3_stock
    await migrate.markMigrationRolledBack({ migrationName: '3_stock' });
});

test('retype in its place changes it while the store lives', async () => {
    assert.deepEqual(await deploy(scripts), ['3_stock']);
    assert.deepEqual(await db.$queryRaw`
        SELECT format_type(atttypid, NULL) AS type FROM pg_attribute
        WHERE attrelid = '"Product"'::regclass AND attname = 'stock'`, [{ type: 'integer' }]);
    await db.$executeRaw`UPDATE "Product" SET stock = 40000 WHERE id = 'capo'`;
    await db.$queryRaw`SELECT buy_item('ann', 'capo', 3)`;
    assert.equal((await db.product.findUniqueOrThrow({ where: { id: 'capo' } })).stock, 39997);
    assert.deepEqual(await db.$queryRaw`SELECT * FROM inventory.verify('"Product"')`, []);
});
