import { Controller, Get, Redirect, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { fileURLToPath } from 'node:url';
import { welcome } from './buyer.js';

const page = fileURLToPath(new URL('../../public/product.html', import.meta.url));

@Controller()
export class PageController {
    @Get()
    @Redirect('/products/1')
    home(): void {}

    @Get('products/:id')
    product(@Req() request: Request, @Res() response: Response): void {
        welcome(request, response);
        response.sendFile(page);
    }
}
