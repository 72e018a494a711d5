// What a run is called in lists: an attribute that it was started with.

export function titleOf(
  { attributes }: { readonly attributes: Readonly<Record<string, unknown>> },
  otherwise: string,
): string {
  const { title } = attributes;
  return typeof title === 'string' ? title : otherwise;
}
