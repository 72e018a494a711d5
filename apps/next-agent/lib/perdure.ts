// The engine of this application: the one file that says what is durable here.

import { definePerdure } from '@perdure/next';
import { queue } from 'perdure';
import { indexDocument, indexPassage } from './documents';
import { refund } from './refund';

export const perdure = definePerdure({
  database: process.env['DATABASE_URL'],
  lease: '2s', // so that a server that was killed is missed soon
  workflows: [refund, indexDocument, indexPassage],
  queues: [queue('indexing', { concurrency: 4 })],
});
