// Reaches one crash point five times, the way the engine does.

const shared: unknown = Reflect.get(globalThis, Symbol.for('perdure/v1'));

for (let count = 1; count <= 5; count += 1) {
  console.log(`before ${count}`);
  reach('step:other');
  reach('step:count');
}

function reach(point: string): void {
  if (typeof shared !== 'object' || shared === null || !('crashPoint' in shared)) return;
  if (typeof shared.crashPoint === 'function') Reflect.apply(shared.crashPoint, undefined, [point]);
}
