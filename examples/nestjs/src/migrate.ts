// Runs the files of migrations/ that this database does not have yet, each in a transaction.
import { readdir, readFile } from 'node:fs/promises';
import { Client } from 'pg';

const directory = new URL('../../migrations/', import.meta.url);
const client = new Client();
// attach reports with a NOTICE what it has bound; most drivers and frameworks do not show it
client.on('notice', (notice) => console.log([notice.message, notice.detail].filter(Boolean).join('\n')));
await client.connect();
try {
    await client.query('SELECT pg_advisory_lock(4711)');
    await client.query(`SET client_min_messages = warning;
        CREATE TABLE IF NOT EXISTS shop_migrations (name text PRIMARY KEY);
        RESET client_min_messages`);
    for (const name of (await readdir(directory)).sort()) {
        const done = await client.query('SELECT FROM shop_migrations WHERE name = $1', [name]);
        if (done.rowCount === 0) {
            console.log(`-- ${name}`);
            await client.query('BEGIN');
            await client.query(await readFile(new URL(name, directory), 'utf8'));
            await client.query('INSERT INTO shop_migrations VALUES ($1)', [name]);
            await client.query('COMMIT');
        }
    }
} finally {
    await client.end();
}
