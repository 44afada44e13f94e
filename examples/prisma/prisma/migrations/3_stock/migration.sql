-- In place of what Prisma writes: ALTER TABLE "Product" ALTER COLUMN "stock" SET DATA TYPE INTEGER;
SELECT inventory.retype('"Product"', 'stock', 'integer');
