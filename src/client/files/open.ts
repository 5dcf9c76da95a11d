/** Chooses how an engine gives the files of a tree: by its own routes, or by what every engine has: archives of containers. */
import { kindOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { ArchiveTree } from './archive.ts';
import { StandInTree } from './stand-in-tree.ts';
import type { StandIns } from './stand-ins.ts';
import { PinnaceTree } from './pinnace.ts';
import type { Signal, Tree, TreeName } from './tree.ts';

export interface OpenOptions extends Signal {
  /** The engine may have our routes. */
  readonly routes: boolean;
  /** Makes the containers through which images and volumes of other engines are looked at. */
  readonly standIns: StandIns;
  /** The path of a static busybox, for what no archive can do with them. */
  readonly program?: string;
}

/** The tree of a name. Throws EngineError: not-found for what the engine does not have. */
export async function openTree(
  client: Client,
  name: TreeName,
  options: OpenOptions,
): Promise<Tree> {
  if (options.routes) {
    const tree = new PinnaceTree(client.transport, name);
    if (await answers(tree, options)) return tree;
  }
  if (name.kind === 'container')
    return new ArchiveTree({ containers: client.containers, id: name.id });
  const { standIns, program } = options;
  return new StandInTree({ client, standIns, name, ...(program === undefined ? {} : { program }) });
}

/** Whether the engine knows the routes; what it says of the tree itself is an answer too. */
async function answers(tree: Tree, options: Signal): Promise<boolean> {
  try {
    await tree.stat('/', options);
    return true;
  } catch (error) {
    const kind = kindOf(error);
    if (kind === 'not-implemented') return false;
    // An engine without the routes knows no such page; its words for a missing container name the container.
    if (kind === 'not-found' && /page not found|the engine answered 404/i.test(String(error)))
      return false;
    throw error;
  }
}
