// Uses legacy decorators with parameter types, as Nest applications do.

// A legacy decorator is given the method's name; a TC39 one would be given an object.
function note(_target: unknown, key: unknown): void {
  console.log(`decorated ${String(key)}`);
}

export class Decorated {
  @note
  run(): void {
    console.log('ran');
  }
}

new Decorated().run();
