/** Resolves additional group names in a container's own /etc/group, read beneath its root by the native helper. */

import { text } from 'node:stream/consumers';
import { EngineError } from '../../../lib/errors.ts';
import type { Native, Root } from '../../runtime/types.ts';

const MAX_GROUP_FILE = 1 << 20;
const TAR_BLOCK = 512;

/** Numbers stay; names are looked up. Throws `invalid` naming the group. */
export async function resolveGroups(
  groups: readonly string[],
  root: Root,
  native: Native,
): Promise<number[]> {
  const names = groups.filter((group) => !/^[0-9]+$/.test(group));
  const table = names.length === 0 ? new Map<string, number>() : await readGroups(root, native);
  return groups.map((group) => {
    const gid = /^[0-9]+$/.test(group) ? Number(group) : table.get(group);
    if (gid === undefined || gid > 0xffffffff)
      throw new EngineError('invalid', `Unable to find group ${group}`);
    return gid;
  });
}

async function readGroups(root: Root, native: Native): Promise<Map<string, number>> {
  const request = { root, path: '/etc/group' };
  const { output, done } = native.stream(['archive', 'get'], request);
  const [tar] = await Promise.all([text(output), done]).catch((error: unknown) => {
    if (error instanceof EngineError && error.kind === 'not-found') return [''] as const;
    throw error;
  });
  return parseGroups(tar.slice(TAR_BLOCK, TAR_BLOCK + MAX_GROUP_FILE));
}

/** group(5); the first of equal names wins, lines of nonsense are passed over. */
export function parseGroups(file: string): Map<string, number> {
  const table = new Map<string, number>();
  for (const line of file.split('\n')) {
    const [name = '', , gid = ''] = line.split(':');
    if (name !== '' && /^[0-9]{1,10}$/.test(gid) && !table.has(name)) table.set(name, Number(gid));
  }
  return table;
}
