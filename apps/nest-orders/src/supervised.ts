// For the demo, whose processes are children of one: tells it that this one is ready, and ends with it.

/** Nothing unless the process has been forked. */
export function reportTo(self: NodeJS.Process): void {
  self.send?.('ready');
  self.once('disconnect', () => self.kill(self.pid, 'SIGTERM'));
  self.channel?.unref();
}
