// Everything that browsers ask about runs. A real application would look at the session in `authorize`.

import { perdureRoutes } from '@perdure/next';
import { indexDocument, progress } from '../../../../lib/documents';
import { perdure } from '../../../../lib/perdure';
import { approval, decided, found, proposed, refund, words } from '../../../../lib/refund';

export const { GET, POST } = perdureRoutes(perdure, {
  expose: [
    {
      workflow: refund,
      start: false,
      cancel: true,
      topics: [approval],
      events: [found, proposed, decided],
      streams: [words],
    },
    { workflow: indexDocument, start: false, cancel: true, events: [progress] },
  ],
  authorize: () => true,
  showErrors: true,
});
