// The engine's statements have `$1` parameters, as Postgres does. Libraries with placeholders of their own get them in parts.

/** Text between parameters, and the values that stand there, in the order of the text: a parameter that is used twice comes twice. */
export interface StatementParts {
  /** One more than there are values. */
  readonly texts: readonly string[];
  readonly values: readonly unknown[];
}

/** Takes a statement apart. It may not have `$1` in a literal or a comment; the engine's have none. */
export function partsOf(text: string, values: readonly unknown[]): StatementParts {
  const texts = text.split(/\$\d+/);
  const numbers = [...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number));
  return { texts, values: numbers.map((number) => values[number - 1]) };
}
