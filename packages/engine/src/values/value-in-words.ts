// Values in words, for messages: where something stands, and what it is.
// The serializer and the schema check use it, so that a path looks the same in both.

/** One step into a value: an index, a property, or ready-made text such as `.get("sku")`. */
export type PathSegment = number | string | { readonly text: string };

const identifier = /^[A-Za-z_$][\w$]*$/;

/** `$.order.items[3]["unit price"]` */
export function pathInWords(segments: readonly PathSegment[]): string {
  return `$${segments.map(segmentInWords).join('')}`;
}

function segmentInWords(segment: PathSegment): string {
  if (typeof segment === 'number') return `[${segment}]`;
  if (typeof segment === 'object') return segment.text;
  return identifier.test(segment) ? `.${segment}` : `[${JSON.stringify(segment)}]`;
}

/** `.get("sku")` for a key that is text or a number, else `.entry(2)`. */
export function mapSegment(key: unknown, index: number): PathSegment {
  const isNamed = typeof key === 'string' || typeof key === 'number';
  return { text: isNamed ? `.get(${JSON.stringify(key)})` : `.entry(${index})` };
}

/** What a value is that cannot be recorded: `a function`, `a Promise (await it first)`, `an instance of Order`. */
export function kindInWords(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  const name = className(value);
  return name === 'Promise' ? 'a Promise (await it first)' : `an instance of ${name}`;
}

function className(value: object): string {
  for (const name of classNames(value)) if (name !== 'Object') return name;
  return 'a class without a name';
}

/** The names of the class of an object and of its base classes, nearest first. */
export function* classNames(value: object): Generator<string> {
  let prototype: unknown = Object.getPrototypeOf(value);
  while (typeof prototype === 'object' && prototype !== null) {
    const constructor: unknown = Object.hasOwn(prototype, 'constructor') ? prototype.constructor : undefined;
    if (typeof constructor === 'function' && constructor.name !== '') yield constructor.name;
    prototype = Object.getPrototypeOf(prototype);
  }
}
