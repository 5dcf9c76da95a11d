/** What comes from outside is asked here whether it is an object with named members, before anything is read of it. */

/** Neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
