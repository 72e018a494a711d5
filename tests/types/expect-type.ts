// For type tests: a value whose type must be exactly the one given.

type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Takes a value of this very type only: neither a narrower nor a wider one, nor `any`. Gives it back. */
export function expectType<Expected>(): <Actual>(
  value: Actual,
  ...fault: IsSame<Actual, Expected> extends true ? [] : [fault: 'the types differ']
) => Actual {
  return (value, ..._fault) => value;
}
