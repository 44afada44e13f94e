import {
    BadRequestException, Body, Controller, Delete, Get, Headers, NotFoundException, Param, ParseIntPipe, ParseUUIDPipe, Post,
} from '@nestjs/common';
import { Buyer } from './buyer.js';
import { type Hold, type Order, type Product, ShopService } from './shop.service.js';

@Controller('api')
export class ShopController {
    constructor(private readonly shop: ShopService) {}

    @Get('products/:id')
    async product(@Param('id', ParseIntPipe) id: number): Promise<Product> {
        const product = await this.shop.product(id);
        if (product === undefined) throw new NotFoundException('There is no such product.');
        return product;
    }

    // a click has a key: clicked twice, or sent again after a lost answer, it is one order
    @Post('products/:id/buy')
    async buy(@Buyer() buyer: string, @Param('id', ParseIntPipe) product: number, @Body('quantity') quantity: unknown,
              @Headers('idempotency-key') key: string | undefined): Promise<{ orderId: string }> {
        return { orderId: await this.shop.buy(buyer, product, whole(quantity), needed(key)) };
    }

    @Post('products/:id/hold')
    async hold(@Buyer() buyer: string, @Param('id', ParseIntPipe) product: number, @Body('quantity') quantity: unknown,
               @Headers('idempotency-key') key: string | undefined): Promise<{ reservationId: string }> {
        return { reservationId: await this.shop.hold(buyer, product, whole(quantity), needed(key)) };
    }

    @Post('holds/:id/confirm')
    async confirm(@Buyer() buyer: string, @Param('id', ParseUUIDPipe) id: string): Promise<{ orderId: string }> {
        return { orderId: await this.shop.confirm(buyer, id) };
    }

    @Delete('holds/:id')
    async release(@Buyer() buyer: string, @Param('id', ParseUUIDPipe) id: string): Promise<{ released: boolean }> {
        return { released: await this.shop.release(buyer, id) };
    }

    @Post('orders/:id/refund')
    async refund(@Buyer() buyer: string, @Param('id') id: string): Promise<{ refunded: number }> {
        const refunded = /^\d{1,18}$/.test(id) ? await this.shop.refund(buyer, id) : undefined;
        if (refunded === undefined) throw new NotFoundException('There is no such order.');
        return { refunded };
    }

    @Get('mine')
    async mine(@Buyer() buyer: string): Promise<{ holds: Hold[]; orders: Order[] }> {
        const [holds, orders] = await Promise.all([this.shop.holds(buyer), this.shop.orders(buyer)]);
        return { holds, orders };
    }
}

function whole(quantity: unknown = 1): number {
    if (typeof quantity !== 'number' || !Number.isSafeInteger(quantity)) {
        throw new BadRequestException('The quantity must be a whole number.');
    }
    return quantity;
}

function needed(key: string | undefined): string {
    if (!key) throw new BadRequestException('The header Idempotency-Key is missing.');
    return key;
}
