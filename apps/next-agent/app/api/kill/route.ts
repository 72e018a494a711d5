// What a power cut would do, at the press of a button. Only for the demo, whose supervisor starts the server again.

export function POST(): Response {
  if (process.env['MAY_KILL'] !== '1') return new Response(null, { status: 404 });
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);
  return new Response(null, { status: 202 });
}
