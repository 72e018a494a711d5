// The language model: Anthropic's when ANTHROPIC_API_KEY is set, else one that knows its lines.

/** Called with every piece of text as it comes. */
type OnToken = (token: string) => Promise<void>;

/** Asks for an answer, piece by piece; resolves to the whole. */
export async function askModel(prompt: string, script: string, onToken: OnToken): Promise<string> {
  const key = process.env['ANTHROPIC_API_KEY'];
  const tokens = key === undefined || key === '' ? recite(script) : stream(prompt, key);
  let whole = '';
  for await (const token of tokens) {
    whole += token;
    await onToken(token);
  }
  return whole;
}

async function* recite(script: string): AsyncGenerator<string> {
  const pauseMs = Number(process.env['MODEL_PAUSE_MS'] ?? 55);
  for (const [token] of script.matchAll(/\s*\S+/g)) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    yield token;
  }
}

async function* stream(prompt: string, key: string): AsyncGenerator<string> {
  const response = await fetch('https://api.anthropic.com/v1/messages', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key, 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({
      model: process.env['ANTHROPIC_MODEL'] ?? 'claude-sonnet-4-5',
      max_tokens: 400,
      stream: true,
      messages: [{ role: 'user', content: prompt }],
    }),
  });
  if (!response.ok || response.body === null) throw new Error(`the model answered with status ${response.status}`);
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const delta = /^data: (.*"text_delta".*)$/.exec(line)?.[1];
      if (delta !== undefined) yield (JSON.parse(delta) as { delta: { text: string } }).delta.text;
    }
  }
}
