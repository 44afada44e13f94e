import { DataSource } from 'typeorm';
import { Order, OrderItem, Product } from './entities.js';
import { Inventory1700000000002, Shop1700000000001 } from './migrations.js';

export default new DataSource({
    type: 'postgres',
    // pg reads PGHOST, PGUSER and so on where there is no DATABASE_URL
    url: process.env['DATABASE_URL'],
    entities: [Product, Order, OrderItem],
    migrations: [Shop1700000000001, Inventory1700000000002],
    migrationsTransactionMode: 'each',
});
