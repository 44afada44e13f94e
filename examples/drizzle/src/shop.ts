// Sells by the functions of inventory.  One call is one transaction, and the key makes retries harmless.
import { DrizzleQueryError, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { DatabaseError } from 'pg';

export interface Line { item_id: number; quantity: number }
interface Sold extends Record<string, unknown> { order_id: string; header_id: string; replayed: boolean }

// ids that are bigint are strings in pg
export async function buy(db: NodePgDatabase, user: string, product: number, quantity: number, key: string): Promise<bigint> {
    const { rows } = await db.execute<{ id: string }>(sql`SELECT buy_item(${user}, ${product}, ${quantity}, ${key}) AS id`);
    return BigInt(rows[0]!.id);
}

// one row of orders with its order_items, or none; `db` can be a transaction that does more
export async function buyCart(db: NodePgDatabase, user: string, lines: Line[], key: string): Promise<Sold[]> {
    return (await db.execute<Sold>(sql`SELECT * FROM buy_cart(${user}, ${JSON.stringify(lines)}, ${key})`)).rows;
}

export async function hold(db: NodePgDatabase, user: string, product: number, time: string, key: string): Promise<string> {
    const { rows } = await db.execute<{ id: string }>(sql`SELECT reserve_stock(${user}, ${product}, 1, ${time}, ${key}) AS id`);
    return rows[0]!.id;
}

// a second call returns the same order
export async function confirm(db: NodePgDatabase, user: string, reservation: string): Promise<Sold[]> {
    return (await db.execute<Sold>(sql`SELECT * FROM confirm_reservation(${reservation}, ${user})`)).rows;
}

export async function refund(db: NodePgDatabase, orderItem: bigint): Promise<void> {
    await db.execute(sql`SELECT stock.refund_order(${orderItem})`);
}

// the name of a refusal, such as out_of_stock; `undefined` for any other error
export function refusalOf(error: unknown): string | undefined {
    const cause = error instanceof DrizzleQueryError ? error.cause : error;
    return cause instanceof DatabaseError && cause.code?.startsWith('IV') ? cause.message : undefined;
}
