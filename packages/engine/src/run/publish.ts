// Publishing from a run: events and streams. In workflow code a publication is a step, committed together with its
// checkpoint, so it happens once. Steps publish while they execute; what they publish is at least once, as they are.

import { PerdureError } from '../values/errors.js';
import type { Publications } from '../store/publications.js';
import { encodeError } from '../values/serialize.js';
import type { RunContext } from './context.js';
import { refused } from './refused.js';
import type { Run } from './run.js';

/** Sets an event. */
export async function setEventIn({ run, step }: RunContext, key: string, value: string): Promise<void> {
  const at = (seq: number): Publications => ({ events: [{ runId: run.id, epoch: run.epoch, seq, key, value }] });
  if (step !== undefined) return publishNow(run, at(run.delivery.lastSeq));
  await run.delivery.call({
    kind: 'event',
    name: key,
    begin: (call) => {
      call.publish = at;
      run.delivery.complete(call, {});
    },
  });
}

/** Appends to a stream; without a value, closes it. Throws STREAM_CLOSED. */
export async function writeStreamIn(context: RunContext, stream: string, value: string | undefined): Promise<void> {
  const { run, step } = context;
  if (step !== undefined) {
    const end = await run.streams.open(stream);
    if (end.isClosed) throw new PerdureError('STREAM_CLOSED', { stream, id: run.id });
    end.isClosed = value === undefined;
    return publishNow(run, chunkOf(run, { stream, value, seq: run.delivery.lastSeq }));
  }
  await run.delivery.call({
    kind: 'stream',
    name: stream,
    begin: (call) => {
      const written = run.streams.open(stream).then((end) => {
        if (end.isClosed) {
          const error = encodeError(new PerdureError('STREAM_CLOSED', { stream, id: run.id }));
          return run.delivery.complete(call, { error });
        }
        end.isClosed = value === undefined;
        call.publish = (seq) => chunkOf(run, { stream, value, seq });
        run.delivery.complete(call, {});
      });
      void written.catch(refused(run, 'the end of a stream cannot be found'));
    },
  });
}

function chunkOf(run: Run, chunk: { stream: string; value: string | undefined; seq: number }): Publications {
  return { chunks: [{ runId: run.id, epoch: run.epoch, position: run.streams.take(chunk.stream), ...chunk }] };
}

async function publishNow(run: Run, publications: Publications): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    run.host.journal.publish(run, publications, (settlement) => {
      if (settlement === 'recorded') resolve();
      else reject(new PerdureError('STEP_ABORTED', { step: '*', reason: 'its run is no longer owned' }));
      run.published(settlement);
    });
  });
}
