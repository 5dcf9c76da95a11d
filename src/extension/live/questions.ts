/** How each kind of holding is asked for: as a whole, or only some by id. What only serves to look at files is left out. */
import type { Client } from '../../client/api/client.ts';
import { isStandIn } from '../../client/files/stand-in-mark.ts';
import { kindOf } from '../../lib/errors.ts';
import type { HoldingKind, Holdings } from './store.ts';

export interface Answer<K extends HoldingKind> {
  readonly items: readonly Holdings[K][];
  /** The items are everything of the kind. */
  readonly whole: boolean;
}

/** Ids that are in no answer are gone. Throws what the client throws. */
export async function ask<K extends HoldingKind>(
  client: Client,
  kind: K,
  ids: ReadonlySet<string> | 'all',
  signal: AbortSignal,
): Promise<Answer<K>> {
  const answer: Answer<HoldingKind> = await QUESTIONS[kind](client, ids, signal);
  return answer as Answer<K>;
}

type Question<K extends HoldingKind> = (
  client: Client,
  ids: ReadonlySet<string> | 'all',
  signal: AbortSignal,
) => Promise<Answer<K>>;

const QUESTIONS: { readonly [K in HoldingKind]: Question<K> } = {
  container: async (client, ids, signal) => {
    const filters = ids === 'all' ? {} : { filters: { id: [...ids] } };
    const found = await client.containers.list({ all: true, ...filters, signal });
    return { items: found.filter((item) => !isStandIn(item)), whole: ids === 'all' };
  },
  // Images have no filter by id, and one event may move a tag from one to another.
  image: async (client, _ids, signal) => ({
    items: (await client.images.list({ signal })).filter((item) => !isStandIn(item)),
    whole: true,
  }),
  volume: async (client, ids) => {
    if (ids === 'all') return { items: (await client.volumes.list()).Volumes ?? [], whole: true };
    return { items: await each(ids, (name) => client.volumes.inspect(name)), whole: false };
  },
  network: async (client, ids) => {
    if (ids === 'all') return { items: await client.networks.list(), whole: true };
    // Only the list's form is held: an inspect tells more, and two forms of the same would look like changes.
    return { items: await client.networks.list({ id: [...ids] }), whole: false };
  },
};

async function each<T>(ids: ReadonlySet<string>, get: (id: string) => Promise<T>): Promise<T[]> {
  const found = await Promise.all(
    [...ids].map((id) =>
      get(id).catch((error: unknown) => {
        if (kindOf(error) === 'not-found') return undefined;
        throw error;
      }),
    ),
  );
  return found.filter((item) => item !== undefined);
}
