// Every change of stock is one call of a function, which is one transaction: it does all of it or raises an error.
import { Injectable } from '@nestjs/common';
import { Pool, type QueryResultRow } from 'pg';

export interface Product { id: number; name: string; description: string; price: string; available: number }
export interface Hold { reservationId: string; productId: number; quantity: number; secondsLeft: number }
export interface Order { id: string; product: string; quantity: number; total: string; refunded: boolean }

const holdFor = process.env['HOLD_FOR'] ?? '10 minutes';

@Injectable()
export class ShopService {
    constructor(private readonly pool: Pool) {}

    product(id: number): Promise<Product | undefined> {
        return this.row<Product>(
            'SELECT id, name, description, price, shop.available_stock(id) AS available FROM shop.products WHERE id = $1', [id]);
    }

    async buy(user: string, product: number, quantity: number, key: string): Promise<string> {
        return this.value('SELECT shop.buy_item($1, $2, $3, $4) AS value', [user, product, quantity, key]);
    }

    async hold(user: string, product: number, quantity: number, key: string): Promise<string> {
        return this.value('SELECT shop.reserve_stock($1, $2, $3, $4, $5) AS value', [user, product, quantity, holdFor, key]);
    }

    // a second call returns the same order; with the user, a hold of another user does not exist
    async confirm(user: string, reservation: string): Promise<string> {
        return this.value('SELECT order_id AS value FROM shop.confirm_reservation($1, $2)', [reservation, user]);
    }

    async release(user: string, reservation: string): Promise<boolean> {
        return this.value('SELECT shop.release_reservation($1, $2) AS value', [reservation, user]);
    }

    // the shop knows whose order it is; `undefined` if it is not this user's
    async refund(user: string, order: string): Promise<number | undefined> {
        const own = await this.row('SELECT FROM shop.orders WHERE id = $1 AND user_id = $2', [order, user]);
        return own && this.value('SELECT shop_stock.refund_order($1, reason => $2) AS value', [order, 'returned by the buyer']);
    }

    holds(user: string): Promise<Hold[]> {
        return this.rows<Hold>(
            `SELECT reservation_id AS "reservationId", item_id AS "productId", quantity,
                    extract(epoch FROM expires_at - clock_timestamp())::float AS "secondsLeft"
             FROM shop.my_reservations($1)`, [user]);
    }

    orders(user: string): Promise<Order[]> {
        return this.rows<Order>(
            `SELECT o.id, p.name AS product, o.quantity, o.quantity * o.unit_price AS total,
                    EXISTS (SELECT FROM shop_stock.movements AS m WHERE m.order_id = o.id AND m.kind = 'refund') AS refunded
             FROM shop.orders AS o JOIN shop.products AS p ON p.id = o.product_id
             WHERE o.user_id = $1 ORDER BY o.id DESC`, [user]);
    }

    private async rows<T extends QueryResultRow>(text: string, values: unknown[]): Promise<T[]> {
        return (await this.pool.query<T>(text, values)).rows;
    }

    private async row<T extends QueryResultRow>(text: string, values: unknown[]): Promise<T | undefined> {
        return (await this.rows<T>(text, values))[0];
    }

    private async value<T>(text: string, values: unknown[]): Promise<T> {
        const row = await this.row<{ value: T }>(text, values);
        if (row === undefined) throw new Error(`no row from ${text}`);
        return row.value;
    }
}
