// Sells by the functions of inventory.  One call is one transaction, and the key makes retries harmless.
import type { PrismaClient } from './generated/client.js';

export interface Line { item_id: string; quantity: number }
interface Sold { item_id: string; order_id: string; header_id: string; replayed: boolean }

export async function buy(db: PrismaClient, user: string, product: string, quantity: number, key: string): Promise<string> {
    const [row] = await db.$queryRaw<{ id: string }[]>`SELECT buy_item(${user}, ${product}, ${quantity}, ${key}) AS id`;
    return row!.id;
}

// one Order with an OrderItem for each line, or none
export function buyCart(db: PrismaClient, user: string, lines: Line[], key: string): Promise<Sold[]> {
    return db.$queryRaw`SELECT item_id, order_id, header_id, replayed FROM buy_cart(${user}, ${JSON.stringify(lines)}::jsonb, ${key})`;
}

export async function hold(db: PrismaClient, user: string, product: string, minutes: number, key: string): Promise<string> {
    const [row] = await db.$queryRaw<{ id: string }[]>`
        SELECT reserve_stock(${user}, ${product}, 1, make_interval(mins => ${minutes}), ${key}) AS id`;
    return row!.id;
}

// a second call returns the same order
export function confirm(db: PrismaClient, user: string, reservation: string): Promise<Sold[]> {
    return db.$queryRaw`SELECT item_id, order_id, header_id, replayed FROM confirm_reservation(${reservation}::uuid, ${user})`;
}

export async function refund(db: PrismaClient, orderItem: string): Promise<void> {
    await db.$queryRaw`SELECT stock.refund_order(${orderItem}::uuid)`;
}
