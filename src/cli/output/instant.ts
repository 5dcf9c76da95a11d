/** Instants as people type them. */

import { nanoseconds } from '../container-options.ts';

/** RFC 3339 and seconds as they are; a Go duration (`10m`) as seconds before now. */
export function instant(text: string): string {
  if (/^\d+(\.\d+)?$/.test(text) || !Number.isNaN(Date.parse(text))) return text;
  return String((Date.now() - nanoseconds('time', text) / 1e6) / 1000);
}
