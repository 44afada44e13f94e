// Prisma wraps an error of the database: e.code is P2010 or P2039, and the SQLSTATE is four members further down.
export interface Refusal { code: string; message: string }

export function refusalOf(error: unknown): Refusal | undefined {
    const { meta } = error as { meta?: { driverAdapterError?: { cause?: { originalCode?: string; originalMessage?: string } } } };
    const { originalCode: code, originalMessage: message } = meta?.driverAdapterError?.cause ?? {};
    return code?.startsWith('IV') && message !== undefined ? { code, message } : undefined;
}
