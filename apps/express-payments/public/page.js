// The page of the shop: places orders, follows their runs, and shows what the ledger says.

const $ = (selector) => document.querySelector(selector);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const euros = (cents) => (cents / 100).toLocaleString('en', { style: 'currency', currency: 'EUR' });

let order;
let live; // the EventSource of the current order
let pid;

for (const product of document.querySelectorAll('.product')) {
  product.addEventListener('click', () => void buy(product.dataset.item, Number(product.dataset.cents)));
}
$('#crash').addEventListener('click', () => post('/crash', {}).catch(() => undefined));
$('#refund').addEventListener('click', refund);
$('#reminder').addEventListener('submit', remind);
void watchBooks();

async function buy(item, cents) {
  const id = `${item.toLowerCase().replaceAll(' ', '-')}-${crypto.randomUUID().slice(0, 8)}`;
  order = { id, item, cents, email: 'ada@example.com' };
  $('#order').textContent = id;
  $('#refund').hidden = true;
  live?.close();
  const durable = new Side($('#durable'));
  const plain = new Side($('#plain'));
  await Promise.all([buyDurably(order, durable), buyPlainly(order, plain)]);
}

async function buyDurably(current, side) {
  side.working('sending the order');
  await sendUntilAnswered('/orders', current, () => side.lost('the process is gone; the order is sent again'));
  if (current !== order) return;
  side.working('working');
  // Reconnects by itself, and goes on behind the last event that it has seen.
  const events = new EventSource(`/perdure/runs/${current.id}/events`);
  live = events;
  events.addEventListener('error', () => side.lost('the process is gone'));
  events.addEventListener('stream', ({ data }) => {
    const { value } = JSON.parse(data);
    side.done(value.text, value.pid);
    side.working(value.step === 'ask' ? 'waiting for the answer, for two days if need be' : 'working');
  });
  events.addEventListener('status', ({ data }) => {
    const { isFinal, status, output } = JSON.parse(data);
    if (!isFinal) return;
    events.close();
    const isShipped = status === 'succeeded' && output.status === 'shipped';
    side.end(
      isShipped
        ? `Shipped. Charged ${euros(current.cents)}, once.`
        : `The order has ended: ${output?.status ?? status}.`,
    );
    $('#refund').hidden = !isShipped;
  });
}

async function buyPlainly(current, side) {
  side.working('the request is being served');
  const response = await sendUntilAnswered('/plain/orders', current, () => side.lost('connection lost; sent again'));
  const { pid: by } = await response.json();
  if (current !== order) return;
  side.done('answered: shipped', by);
  side.end(
    side.losses === 0 ? 'Shipped. Nothing went wrong this time.' : 'Shipped. Look at the ledger.',
    side.losses > 0,
  );
}

async function refund() {
  const current = order;
  const side = new Side($('#durable'), { isContinued: true });
  side.working('the request is being served');
  const response = await sendUntilAnswered('/refunds', current, () =>
    side.lost('connection lost; sent again, with the same key'),
  );
  const { refund: number } = await response.json();
  const isReplay = response.headers.get('idempotency-replayed') === 'true';
  side.done(`answered ${response.status}: refund ${number}${isReplay ? ', the recorded response' : ''}`, pid);
  side.end('Refunded, once.');
  $('#refund').hidden = true;
}

async function remind(event) {
  event.preventDefault();
  const { text, after } = event.target.elements;
  const response = await post('/reminders', { email: 'you@example.com', text: text.value, after: after.value }).catch(
    () => undefined,
  );
  $('#reminded').textContent = response?.ok
    ? `Will be sent in ${after.value}, whatever happens to the process.`
    : 'Try again in a moment.';
}

/** As an impatient client does: a request that gets no answer is sent again, with the same key. */
async function sendUntilAnswered(path, body, onLost) {
  const key = `"${crypto.randomUUID()}"`;
  for (;;) {
    try {
      const response = await post(path, body, key);
      if (response.status < 500) return response;
    } catch {
      onLost();
    }
    await pause(500);
  }
}

function post(path, body, key) {
  const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function watchBooks() {
  for (;;) {
    try {
      showBooks(await (await fetch('/books')).json());
    } catch {
      $('#process').textContent = pid === undefined ? 'no process' : `process ${pid} is dead`;
      $('#process').classList.add('dead');
      $('#crash').disabled = true;
    }
    await pause(400);
  }
}

function showBooks(books) {
  pid = books.pid;
  $('#process').textContent = `process ${pid}${books.restarts > 0 ? `, restarted ${times(books.restarts)}` : ''}`;
  $('#process').classList.remove('dead');
  $('#crash').disabled = false;
  if (order !== undefined) showLedger(books.entries.filter(({ orderId }) => orderId === order.id));
  if (books.mails.length > 0) $('#mails').replaceChildren(...books.mails.map(mailItem));
}

function showLedger(entries) {
  const names = { charge: 'charged', reserve: 'reserved', ship: 'shipped', refund: 'refunded' };
  const rows = Object.entries(names).flatMap(([entry, name]) => {
    const done = (side) => entries.filter((each) => each.entry === entry && each.side === side);
    const [durable, plain] = [done('durable'), done('plain')];
    if (durable.length + plain.length === 0) return [];
    return [element('tr', {}, element('td', {}, name), cell(durable), cell(plain))];
  });
  const nothing = element('tr', {}, element('td', { colSpan: 3, className: 'hint' }, 'Nothing yet.'));
  $('#ledger').replaceChildren(...(rows.length > 0 ? rows : [nothing]));
}

function cell(done) {
  const cents = done.reduce((sum, each) => sum + each.cents, 0);
  const amount = cents === 0 ? '' : ` ${euros(Math.abs(cents))}`;
  const text = done.length === 0 ? '–' : `${done.length > 1 ? times(done.length) : 'once'}${amount && `,${amount}`}`;
  return element('td', { className: done.length > 1 ? 'twice' : '' }, text);
}

function mailItem({ recipient, subject, link }) {
  const title = link ? element('a', { href: link, target: '_blank' }, subject) : subject;
  return element('li', {}, title, element('small', {}, `to ${recipient}`));
}

function times(count) {
  return ['never', 'once', 'twice'][count] ?? `${count} times`;
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** One of the two columns. */
class Side {
  losses = 0;
  #steps;
  #outcome;
  #working;

  constructor(article, { isContinued = false } = {}) {
    this.#steps = article.querySelector('.steps');
    this.#outcome = article.querySelector('.outcome');
    if (!isContinued) this.#steps.replaceChildren();
    this.#outcome.hidden = true;
  }

  working(text) {
    this.#working?.remove();
    this.#working = element('li', { className: 'working' }, text);
    this.#steps.append(this.#working);
  }

  done(text, by) {
    this.#add(element('li', {}, text, element('span', { className: 'pid' }, `process ${by}`)));
  }

  /** The first failure of several in a row says enough. */
  lost(text) {
    if (this.#working?.previousElementSibling?.className === 'lost') return;
    this.losses += 1;
    this.#add(element('li', { className: 'lost' }, text));
    this.working('waiting for a process');
  }

  end(text, isBad = false) {
    this.#working?.remove();
    this.#outcome.textContent = text;
    this.#outcome.className = isBad ? 'outcome bad' : 'outcome';
    this.#outcome.hidden = false;
  }

  #add(item) {
    if (this.#working === undefined) this.#steps.append(item);
    else this.#working.before(item);
  }
}
