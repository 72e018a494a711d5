'use client';

import { useEffect, useState } from 'react';

/** How long there is still to decide. */
export function Countdown({ until }: { readonly until: string }) {
  const [now, setNow] = useState<number>();
  useEffect(() => {
    const look = (): void => setNow(Date.now());
    look();
    const timer = setInterval(look, 1_000);
    return () => clearInterval(timer);
  }, []);
  if (now === undefined) return null;
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - now) / 1_000));
  const shown = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return (
    <span>
      <strong className="clock" role="timer" aria-live="off">
        {shown}
      </strong>{' '}
      left to decide.
    </span>
  );
}
