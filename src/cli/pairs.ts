/** Flags of the form `key=value`, taken apart. Pure. */

/** `a=b` pairs; a key alone has an empty value. */
export function pairs(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(entries.map((entry) => split(entry, '=')));
}

/** The parts before and after the first separator. */
export function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
