// Who is buying: a random id in a cookie stands in for the shop's login.
import { createParamDecorator, type ExecutionContext, UnauthorizedException } from '@nestjs/common';
import type { Request, Response } from 'express';
import { randomUUID } from 'node:crypto';

const UUID = /(?:^|; )buyer=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:;|$)/;

function buyerOf(request: Request): string | undefined {
    return UUID.exec(request.headers.cookie ?? '')?.[1];
}

export function welcome(request: Request, response: Response): void {
    if (buyerOf(request) === undefined) {
        response.cookie('buyer', randomUUID(), { httpOnly: true, sameSite: 'lax' });
    }
}

export const Buyer = createParamDecorator((_: unknown, context: ExecutionContext): string => {
    const buyer = buyerOf(context.switchToHttp().getRequest<Request>());
    if (buyer === undefined) throw new UnauthorizedException();
    return buyer;
});
