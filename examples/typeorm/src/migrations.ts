import type { MigrationInterface, QueryRunner } from 'typeorm';

// as `typeorm migration:generate` writes it
export class Shop1700000000001 implements MigrationInterface {
    name = 'Shop1700000000001';

    async up(db: QueryRunner): Promise<void> {
        await db.query(`CREATE TABLE "product" ("id" SERIAL NOT NULL, "name" text NOT NULL, "price" numeric(10,2) NOT NULL, "stock" integer NOT NULL DEFAULT '0', "purchaseLimit" integer, "version" integer NOT NULL, CONSTRAINT "PK_bebc9158e480b949565b4dc7a82" PRIMARY KEY ("id"))`);
        await db.query(`CREATE TABLE "order" ("id" SERIAL NOT NULL, "userId" text NOT NULL, "status" text NOT NULL DEFAULT 'placed', CONSTRAINT "PK_1031171c13130102495201e3e20" PRIMARY KEY ("id"))`);
        await db.query(`CREATE TABLE "order_item" ("id" SERIAL NOT NULL, "quantity" integer NOT NULL, "price" numeric(10,2) NOT NULL, "orderId" integer NOT NULL, "productId" integer NOT NULL, CONSTRAINT "PK_d01158fe15b1ead5c26fd7f4e90" PRIMARY KEY ("id"))`);
        await db.query(`CREATE INDEX "IDX_646bf9ece6f45dbe41c203e06e" ON "order_item" ("orderId")`);
        await db.query(`ALTER TABLE "order_item" ADD CONSTRAINT "FK_646bf9ece6f45dbe41c203e06e0" FOREIGN KEY ("orderId") REFERENCES "order"("id") ON DELETE CASCADE ON UPDATE NO ACTION`);
        await db.query(`ALTER TABLE "order_item" ADD CONSTRAINT "FK_904370c093ceea4369659a3c810" FOREIGN KEY ("productId") REFERENCES "product"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`);
    }

    async down(db: QueryRunner): Promise<void> {
        await db.query(`DROP TABLE "order_item", "order", "product"`);
    }
}

export class Inventory1700000000002 implements MigrationInterface {
    name = 'Inventory1700000000002';

    async up(db: QueryRunner): Promise<void> {
        // needs a superuser, once in each database
        await db.query(`CREATE EXTENSION IF NOT EXISTS inventory`);
        await db.query(`SELECT inventory.attach('product', 'order_item', order_header => '"order"', ledger_schema => 'stock',
            order_values => '{"price": "price"}')`);
    }

    async down(db: QueryRunner): Promise<void> {
        // keeps every table, the ledger too
        await db.query(`SELECT inventory.detach('product')`);
    }
}

// For a shop that goes on to write its orders itself, in place of the migration above or after it.
export const FOLLOW = `SELECT inventory.attach('product', 'order_item', order_header => '"order"', ledger_schema => 'stock',
    order_values => '{"price": "price"}',
    order_writes => 'follow',
    order_units => $$CASE WHEN header.status <> 'cancelled' THEN line.quantity END$$)`;
