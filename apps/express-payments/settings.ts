// What the environment says.

export const port = Number(process.env['PORT'] ?? 3000);

/** How browsers reach this shop: what links in mails begin with. */
export const publicUrl = process.env['PUBLIC_URL'] ?? `http://localhost:${port}`;

/** Signs the links in mails. */
export const secret = process.env['LINK_SECRET'] ?? 'only-for-the-demo-0123456789abcdef';

/** How often the supervisor had to start the shop again. */
export const restarts = Number(process.env['RESTARTS'] ?? 0);
