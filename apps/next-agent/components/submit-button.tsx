'use client';

import type { ReactNode } from 'react';
import { useFormStatus } from 'react-dom';

/** A form's button, which says when it was pressed. */
export function SubmitButton({ children, waiting }: { readonly children: ReactNode; readonly waiting: string }) {
  const { pending } = useFormStatus();
  return (
    <button className="primary" type="submit" disabled={pending}>
      {pending ? waiting : children}
    </button>
  );
}
