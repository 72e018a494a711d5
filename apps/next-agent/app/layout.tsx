import type { Metadata, Viewport } from 'next';
import Link from 'next/link';
import type { ReactNode } from 'react';
import './globals.css';

export const metadata: Metadata = {
  title: { default: 'Aftercare', template: '%s · Aftercare' },
  description: 'A support desk whose agent survives crashes',
};

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f6f5f1' },
    { media: '(prefers-color-scheme: dark)', color: '#131512' },
  ],
};

export default function Layout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <a className="skip" href="#main">
          Skip to content
        </a>
        <header className="masthead">
          <Link className="brand" href="/">
            <svg aria-hidden="true" viewBox="0 0 24 24" width="22" height="22">
              <path d="M4 12a8 8 0 1 1 8 8" fill="none" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round" />
              <circle cx="12" cy="12" r="2.6" fill="currentColor" />
            </svg>
            Aftercare
          </Link>
          <p>A support desk whose agent survives crashes</p>
        </header>
        <main id="main">{children}</main>
      </body>
    </html>
  );
}
