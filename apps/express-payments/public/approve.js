// The page behind the link in the mail: sends the answer to the run that waits for it.

const query = new URLSearchParams(location.search);
const note = document.querySelector('#note');
document.querySelector('#item').textContent = query.get('item') ?? 'this order';

for (const button of document.querySelectorAll('button')) {
  button.addEventListener('click', () => void answer(button.dataset.approved === 'true'));
}

async function answer(approved) {
  const topic = `/perdure/runs/${encodeURIComponent(query.get('run'))}/topics/approval`;
  const response = await fetch(`${topic}?${new URLSearchParams({ token: query.get('token') })}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ approved }),
  }).catch(() => undefined);
  note.textContent = await inWords(response, approved);
  for (const button of document.querySelectorAll('button')) button.disabled = response?.ok === true;
}

async function inWords(response, approved) {
  if (response === undefined) return 'The shop does not answer just now. Try again in a moment.';
  if (response.ok) return approved ? 'Approved. The order goes on.' : 'Declined.';
  const { code, detail } = await response.json();
  return code === 'RUN_STATE_CONFLICT' ? 'This order has ended; nobody waits for an answer any more.' : detail;
}
