import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { PageController } from './page.controller.js';
import { ShopController } from './shop.controller.js';
import { ShopService } from './shop.service.js';

@Module({
    controllers: [PageController, ShopController],
    // the pool reads PGHOST, PGUSER, PGDATABASE and so on
    providers: [ShopService, { provide: Pool, useFactory: () => new Pool() }],
})
export class ShopModule implements OnApplicationShutdown {
    constructor(@Inject(Pool) private readonly pool: Pool) {}

    async onApplicationShutdown(): Promise<void> {
        await this.pool.end();
    }
}
