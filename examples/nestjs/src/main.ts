import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { fileURLToPath } from 'node:url';
import { RefusalFilter } from './refusal.filter.js';
import { ShopModule } from './shop.module.js';

const app = await NestFactory.create<NestExpressApplication>(ShopModule);
app.useGlobalFilters(new RefusalFilter());
app.useStaticAssets(fileURLToPath(new URL('../../public', import.meta.url)), { index: false });
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000, process.env['HOST'] ?? '127.0.0.1');
console.log(`the shop is at ${await app.getUrl()}`);
