// Requests that change something are refused when a browser sends them from a page of another site: they would carry the user's cookies
// without the user's will. Browsers say where a request comes from in Sec-Fetch-Site, older ones in Origin; programs send neither.

import { PerdureError } from 'perdure';

/** Throws REQUEST_CROSS_SITE. `origins`: those whose pages are trusted besides the server's own. */
export function refuseCrossSite({ headers, url }: Request, origins: readonly string[]): void {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  if (origin !== null && origins.includes(origin)) return;
  if (site === 'same-origin' || site === 'none') return;
  if (site === null && (origin === null || hostOf(origin) === (headers.get('host') ?? hostOf(url)))) return;
  throw new PerdureError('REQUEST_CROSS_SITE', { origin: origin ?? 'another site', allowed: origins });
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}
