// The page of a product.  It shows what the server says, and decides nothing.
const $ = (id) => document.getElementById(id);
const productId = Number(location.pathname.split('/').pop());
const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' });
let held;

// call: the answer of the shop; an error has the text for the buyer
async function call(method, path, body, key) {
    let response;
    try {
        response = await fetch(`/api/${path}`, {
            method,
            headers: { 'Content-Type': 'application/json', ...(key && { 'Idempotency-Key': key }) },
            body: body && JSON.stringify(body),
        });
    } catch {
        throw Object.assign(new Error('No connection. Please try again.'), { unanswered: true });
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) {
        throw Object.assign(new Error(answer.message ?? 'Something went wrong. Please try again.'),
            { unanswered: response.status >= 500 });
    }
    return answer;
}

function say(text, bad = false) {
    $('message').textContent = text;
    $('message').classList.toggle('bad', bad);
}

// A click gets a key.  The second click of a double click has that of the first, and so has each click until the answer
// to the first has come: whichever arrives, and however often, it is one order.
const keys = new Map();
function keyOf(event) {
    const last = keys.get(event.currentTarget);
    const key = last && (last.unanswered || event.detail > 1) ? last : { value: crypto.randomUUID(), unanswered: true };
    keys.set(event.currentTarget, key);
    return key;
}

// act: what a button does, and then the page as the server sees it
async function act(work, key = {}) {
    const button = document.activeElement;
    try {
        say(await work(key.value));
        key.unanswered = false;
    } catch (error) {
        key.unanswered = error.unanswered ?? false;
        say(error.message, true);
    }
    await refresh();
    // where the button is gone, keyboards and screen readers go on from the message
    if (button.disabled || !button.checkVisibility()) $('message').focus({ preventScroll: true });
}

async function refresh() {
    try {
        const [product, mine] = await Promise.all([call('GET', `products/${productId}`), call('GET', 'mine')]);
        showHold(mine.holds.find((hold) => hold.productId === productId), product);
        showProduct(product);
        showOrders(mine.orders);
    } catch (error) {
        say(error.message, true);
    }
}

function showProduct({ name, description, price, available }) {
    document.title = name;
    $('name').textContent = name;
    $('description').textContent = description;
    $('price').textContent = money.format(price);
    $('stock').textContent = available > 0 ? `${available} left` : held ? 'On hold for you' : 'Sold out';
    $('stock').classList.toggle('none', available < 1 && !held);
    $('buy').disabled = $('hold').disabled = available < 1;
}

function showHold(hold, product) {
    held = hold && { ...hold, until: performance.now() + hold.secondsLeft * 1000 };
    $('held').hidden = !held;
    if (held) $('held-what').textContent = `${held.quantity} × ${product.name},`;
    tick();
}

function showOrders(orders) {
    $('no-orders').hidden = orders.length > 0;
    $('orders').replaceChildren(...orders.map((order) => {
        const row = $('order').content.cloneNode(true);
        row.querySelector('.what').textContent = `Order ${order.id}: ${order.quantity} × ${order.product}`;
        row.querySelector('.total').textContent = order.refunded ? 'Refunded' : money.format(order.total);
        const button = row.querySelector('button');
        button.hidden = order.refunded;
        button.setAttribute('aria-label', `Refund order ${order.id}`);
        button.addEventListener('click', () => act(async () => {
            await call('POST', `orders/${order.id}/refund`);
            return `Order ${order.id} is refunded.`;
        }));
        return row;
    }));
}

// tick: the time left, and what follows when there is none
function tick() {
    if (!held) return;
    const left = Math.max(0, Math.ceil((held.until - performance.now()) / 1000));
    $('countdown').textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')} left`;
    if (left === 0) {
        held = undefined;
        act(() => 'The hold has expired. You have not been charged.');
    }
}

const wanted = () => ({ quantity: $('quantity').valueAsNumber });

$('buy').addEventListener('click', (event) => $('offer').reportValidity() && act(async (key) => {
    const { orderId } = await call('POST', `products/${productId}/buy`, wanted(), key);
    return `It is yours: order ${orderId}.`;
}, keyOf(event)));

$('hold').addEventListener('click', (event) => $('offer').reportValidity() && act(async (key) => {
    await call('POST', `products/${productId}/hold`, wanted(), key);
    return 'It is on hold for you.';
}, keyOf(event)));

$('confirm').addEventListener('click', () => held && act(async () => {
    const { orderId } = await call('POST', `holds/${held.reservationId}/confirm`);
    return `It is yours: order ${orderId}.`;
}));

$('release').addEventListener('click', () => held && act(async () => {
    await call('DELETE', `holds/${held.reservationId}`);
    return 'You have given it back.';
}));

// another quantity is another purchase
$('quantity').addEventListener('input', () => keys.clear());
$('offer').addEventListener('submit', (event) => event.preventDefault());
$('picture').src = `/pictures/${productId}.svg`;
document.querySelector(`nav a[href="${location.pathname}"]`)?.setAttribute('aria-current', 'page');
addEventListener('focus', refresh);
setInterval(tick, 250);
await refresh();
