/** Which files a command is about, and the store that they are in. */
import { EngineError } from '../../../lib/errors.ts';
import { type FileAddress, parseAddressText } from '../../files/address.ts';
import { addressOfNode } from '../../files/branch.ts';
import { FileStore } from '../../files/store.ts';
import type { FileNode, Node } from '../../views/nodes.ts';
import type { Desk } from '../desk.ts';
import { chooseOne, CONTAINERS } from '../targets.ts';

/** Tells the file system and the trees what was changed. */
export const CHANGED = 'pinnace.files.told';
/** Opens a file, by its address as text. */
export const SHOW = 'pinnace.files.show';
/** Compares two files: addresses as text, and a title. */
export const COMPARE = 'pinnace.files.compare';
/** Adds a folder to the workspace: address as text, and a name. */
export const MOUNT = 'pinnace.files.mount';

/** A store of the desk's engines whose changes are told to the editor. */
export function storeOf(desk: Desk): FileStore {
  const store = new FileStore(desk.engines, { program: desk.asset('out/native/busybox') });
  store.onDidChange((changes) => void desk.execute(CHANGED, changes));
  return store;
}

/** The selected files. Throws EngineError (invalid) where none is, for commands that only work on rows. */
export function selectedFiles(targets: readonly Node[], verb: string): readonly FileNode[] {
  const files = targets.filter((node) => node.kind === 'file');
  if (files.length > 0) return files;
  throw new EngineError(
    'invalid',
    `Select a file below a container, an image or a volume to ${verb} it.`,
  );
}

/** A selected file, the root of a selected container, image or volume, or a path in a container that is picked. */
export async function choosePlace(
  desk: Desk,
  targets: readonly Node[],
  question: { readonly title: string; readonly value: string },
): Promise<FileAddress | undefined> {
  for (const node of targets) {
    if (node.kind === 'file') return parseAddressText(node.uri);
    const address = addressOfNode(node);
    if (address !== undefined) return storeOf(desk).rooted(address);
  }
  const container = await chooseOne(desk, CONTAINERS, [], {
    title: `${question.title} in which container?`,
    none: 'There are no containers.',
  });
  if (container === undefined) return undefined;
  const path = await desk.ask({
    title: question.title,
    prompt: `Path in ${container.name}`,
    value: question.value,
    check: pathProblem,
  });
  return path === undefined
    ? undefined
    : { kind: 'container', id: container.id, path: plain(path) };
}

function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'A path from the root: /etc/hosts';
  return /(^|\/)\.\.?(\/|$)|\0/.test(path) ? 'A path without . and ..' : undefined;
}

function plain(path: string): string {
  return `/${path
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`;
}

/** What is wrong with the name of a new file, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'A name';
  return /[/\0]/.test(name) ? 'A name without slashes' : undefined;
}

/** What it is the files of, for sentences. */
export function ownerText(desk: Desk, { kind, id }: FileAddress): string {
  const container = kind === 'container' ? desk.live.all('container').get(id) : undefined;
  const name = container?.Names[0]?.replace(/^\//, '');
  return name ?? (kind === 'volume' ? id : id.replace(/^sha256:/, '').slice(0, 12));
}
