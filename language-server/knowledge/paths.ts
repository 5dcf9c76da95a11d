/** Where documents lie on this machine's disk. */
import { fileURLToPath } from 'node:url';

/** The path of a document's address; undefined for what does not lie on disk. */
export function pathOf(uri: string): string | undefined {
  if (!uri.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined; // An address with a host, or no path at all.
  }
}
