// Shutting down with Next. Its own listeners close the server and then end the process, whatever else is under way; and they wait for ever
// for an open stream of events. So ours go first: they end the streams, drain the engine, and hand the signal on.

const signals = ['SIGTERM', 'SIGINT'] as const;

/** Puts `drain` before whatever listens to signals that end the process. A second signal does not wait for it. */
export function drainOnSignals(drain: () => Promise<void>): void {
  for (const signal of signals) {
    const others = process.listeners(signal);
    process.removeAllListeners(signal);
    let isDraining = false;
    let isHandedOn = false;
    const handOn = (): void => {
      if (isHandedOn) return;
      isHandedOn = true;
      process.removeListener(signal, onSignal);
      for (const other of others) process.on(signal, other);
      // Without another listener the default action ends the process, as it would have done without us.
      process.kill(process.pid, signal);
    };
    const onSignal = (): void => {
      if (isDraining) return handOn();
      isDraining = true;
      drain().then(handOn, handOn);
    };
    process.on(signal, onSignal);
  }
}
