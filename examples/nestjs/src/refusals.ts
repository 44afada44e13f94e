// What the buyer reads when the database refuses: an HTTP status and a text for every error of inventory.

export interface Refusal { name: string; status: number; text: string }

// The message of the error is its name.  Its SQLSTATE is the code here, or with inventory.http_errors PT and the status.
const BY_NAME = new Map<string, { code: string; status: number; text: string }>(Object.entries({
    out_of_stock: { code: 'IV001', status: 409, text: 'Out of stock.' },
    item_not_found: { code: 'IV002', status: 404, text: 'This product is not for sale.' },
    order_not_found: { code: 'IV003', status: 404, text: 'There is no such order.' },
    reservation_not_found: { code: 'IV004', status: 404, text: 'Nothing is on hold for you here.' },
    reservation_expired: { code: 'IV005', status: 410, text: 'The hold has expired. You have not been charged.' },
    reservation_confirmed: { code: 'IV006', status: 409, text: 'You have already bought this: see your orders.' },
    reservation_released: { code: 'IV007', status: 409, text: 'You have given this back.' },
    refund_exceeds_order: { code: 'IV008', status: 409, text: 'This order has already been refunded.' },
    idempotency_key_mismatch: { code: 'IV009', status: 422, text: 'Please reload the page and try again.' },
    purchase_limit_exceeded: { code: 'IV010', status: 403, text: 'This is more than one customer may buy.' },
    stock_changed: { code: 'IV011', status: 409, text: 'The stock has changed. Please look again.' },
    not_a_store: { code: 'IV012', status: 404, text: 'Nothing is sold here yet.' },
    direct_write_refused: { code: 'IV013', status: 403, text: 'This cannot be changed here.' },
    busy: { code: 'IV014', status: 503, text: 'Many people are buying right now. Please try again.' },
    already_placed: { code: 'IV015', status: 409, text: 'You have already placed this order.' },
}));

// Errors of the server that a caller can cause or meet.  Any other is a fault of the shop.
const INVALID = { name: 'invalid', status: 400, text: 'This cannot be ordered.' };
const FORBIDDEN = { name: 'forbidden', status: 403, text: 'You may not do this.' };
// nothing was changed, or the same key finds what was
const TRY_AGAIN = { name: 'try_again', status: 503, text: 'Please try again in a moment.' };
const BY_CODE = new Map<string, Refusal>([
    ...['22001', '22003', '22004', '22008', '22023', '22P02', '42703', '54000', 'PT400'].map((code) => [code, INVALID] as const),
    ['42501', FORBIDDEN],
    ...['25006', '40001', '40P01', '53200', '53300', '55P03', '57014', '57P01'].map((code) => [code, TRY_AGAIN] as const),
]);

export function refusalOf(message: string, code: string): Refusal | undefined {
    const known = BY_NAME.get(message);
    if (known && (code === known.code || code === `PT${known.status}`)) {
        return { name: message, status: known.status, text: known.text };
    }
    return BY_CODE.get(code);
}
