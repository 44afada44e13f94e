// Turns an error of the database into an HTTP status and a text for the buyer.
import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { Response } from 'express';
import { DatabaseError } from 'pg';
import { refusalOf } from './refusals.js';

@Catch(DatabaseError)
export class RefusalFilter implements ExceptionFilter<DatabaseError> {
    private readonly log = new Logger(RefusalFilter.name);

    catch(error: DatabaseError, host: ArgumentsHost): void {
        const response = host.switchToHttp().getResponse<Response>();
        const refusal = refusalOf(error.message, error.code ?? '');
        if (refusal === undefined) {
            this.log.error(error.message, error.stack);
            response.status(500).json({ error: 'fault', message: 'Something went wrong. Please try again.' });
            return;
        }
        // DETAIL has keys and numbers: it is for the log
        this.log.debug(`${error.message}: ${error.detail ?? ''}`);
        if (refusal.status === 503) response.set('Retry-After', '1');
        response.status(refusal.status).json({ error: refusal.name, message: refusal.text });
    }
}
