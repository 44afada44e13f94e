import { bigint, index, integer, numeric, pgTable, text, uuid } from 'drizzle-orm/pg-core';

export const products = pgTable('products', {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    price: numeric({ precision: 10, scale: 2 }).notNull(),
    stock: integer().notNull().default(0),
    purchaseLimit: integer('purchase_limit'),
});

export const orders = pgTable('orders', {
    id: uuid().primaryKey().defaultRandom(),
    userId: text('user_id').notNull(),
    status: text().notNull().default('placed'),
});

export const orderItems = pgTable('order_items', {
    id: bigint({ mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
    orderId: uuid('order_id').notNull().references(() => orders.id, { onDelete: 'cascade' }),
    productId: integer('product_id').notNull().references(() => products.id),
    quantity: integer().notNull(),
    price: numeric({ precision: 10, scale: 2 }).notNull(),
}, (table) => [index().on(table.orderId)]);
