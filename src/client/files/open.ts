/** Chooses how an engine gives the files of a tree: by its own routes, or by what every engine has. */
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { ArchiveTree } from './archive.ts';
import { PinnaceTree } from './pinnace.ts';
import { type Signal, type Tree, type TreeName, treeText } from './tree.ts';

/**
 * The tree of a name. Throws EngineError: not-found for what the engine does not have, not-implemented for images and
 * volumes of an engine that gives no files of them.
 */
export async function openTree(
  client: Client,
  name: TreeName,
  options: Signal & { readonly routes: boolean },
): Promise<Tree> {
  if (options.routes) {
    const tree = new PinnaceTree(client.transport, name);
    if (await answers(tree, options)) return tree;
  }
  if (name.kind === 'container')
    return new ArchiveTree({ containers: client.containers, id: name.id });
  throw new EngineError(
    'not-implemented',
    `this engine gives no files of ${treeText(name)}; ${wayOut(name)}`,
  );
}

function wayOut({ kind }: TreeName): string {
  return kind === 'image'
    ? 'make a container of it and look at its files'
    : 'open it through a container that mounts it';
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
