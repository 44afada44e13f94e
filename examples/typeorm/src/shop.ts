// Sells by the functions of inventory.  One call is one transaction, and the key makes retries harmless.
import { type EntityManager, QueryFailedError } from 'typeorm';

export interface Line { item_id: number; quantity: number }
interface Sold { order_id: number; header_id: number; replayed: boolean }

export async function buy(db: EntityManager, user: string, product: number, quantity: number, key: string): Promise<number> {
    const [row] = await db.query<{ id: number }[]>('SELECT buy_item($1, $2, $3, $4) AS id', [user, product, quantity, key]);
    return row!.id;
}

// one Order with an OrderItem for each line, or none; `db` can be a transaction that does more
export function buyCart(db: EntityManager, user: string, lines: Line[], key: string): Promise<Sold[]> {
    return db.query<Sold[]>('SELECT * FROM buy_cart($1, $2, $3)', [user, JSON.stringify(lines), key]);
}

export async function hold(db: EntityManager, user: string, product: number, time: string, key: string): Promise<string> {
    const [row] = await db.query<{ id: string }[]>('SELECT reserve_stock($1, $2, 1, $3, $4) AS id', [user, product, time, key]);
    return row!.id;
}

// a second call returns the same order
export function confirm(db: EntityManager, user: string, reservation: string): Promise<Sold[]> {
    return db.query<Sold[]>('SELECT * FROM confirm_reservation($1, $2)', [reservation, user]);
}

export async function refund(db: EntityManager, orderItem: number): Promise<void> {
    await db.query('SELECT stock.refund_order($1)', [orderItem]);
}

// the name of a refusal, such as out_of_stock; `undefined` for any other error
export function refusalOf(error: unknown): string | undefined {
    if (!(error instanceof QueryFailedError)) return undefined;
    const { code, message } = error.driverError as { code?: string; message: string };
    return code?.startsWith('IV') ? message : undefined;
}
