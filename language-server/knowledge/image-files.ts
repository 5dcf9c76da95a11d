/**
 * What is known of the files of local images: directories, users and groups, asked of our engine's routes. Other engines
 * give no files without a container, and none is made for it. An answer is waited for a blink, then it comes the next time.
 */
import { EngineError } from '../../src/lib/errors.ts';
import { createClient } from '../../src/client/api/client.ts';
import { PinnaceTree } from '../../src/client/files/pinnace.ts';
import { collect } from '../../src/client/files/tree.ts';
import type { Known } from '../features/completion/images.ts';
import type { Accounts } from '../features/completion/inside.ts';
import type { ContextEntry } from '../features/completion/paths.ts';
import { Cache } from './cache.ts';

const SECOND = 1000;
const TIME_LIMIT = 3 * SECOND;
/** How long a completion waits for the engine on this machine, in milliseconds. */
export const BLINK = 60;
/** Longer lists help nobody. */
const ENTRIES_LIMIT = 10_000;
/** Longer files of users are not for reading. */
const FILE_LIMIT = 1024 * 1024;
const NAMES_LIMIT = 500;

const NOTHING = { value: undefined, pending: false } as const;
const KEPT = { fresh: 60 * SECOND, retry: 30 * SECOND };

export class ImageFileKnowledge {
  private readonly socket: () => string | undefined;
  private readonly folders = new Cache<readonly ContextEntry[]>(KEPT);
  private readonly names = new Cache<Accounts>(KEPT);

  /** `socket`: of the engine; undefined when nobody may be asked. */
  constructor(socket: () => string | undefined) {
    this.socket = socket;
  }

  /** What a directory (absolute) of an image holds, by its name or id. */
  list(image: string, directory: string): Promise<Known<readonly ContextEntry[]>> {
    const socket = this.socket();
    if (socket === undefined) return Promise.resolve(NOTHING);
    const load = (): Promise<readonly ContextEntry[]> =>
      withTree(socket, image, async (tree, signal) => {
        const { entries } = await tree.list(directory, { limit: ENTRIES_LIMIT, signal });
        return entries.map(({ name, type, targetType }) => ({
          name,
          isDirectory: (targetType ?? type) === 'directory',
        }));
      });
    return this.folders.within(`${socket} ${image} ${directory}`, load, BLINK);
  }

  /** The names in an image's `/etc/passwd` and `/etc/group`; empty lists where it has no such file. */
  accounts(image: string): Promise<Known<Accounts>> {
    const socket = this.socket();
    if (socket === undefined) return Promise.resolve(NOTHING);
    const load = (): Promise<Accounts> =>
      withTree(socket, image, async (tree, signal) => {
        // Throws for an image that is not there, so that another one is asked.
        await tree.stat('/', { signal });
        const [users, groups] = await Promise.all([
          namesOf(tree, '/etc/passwd', signal),
          namesOf(tree, '/etc/group', signal),
        ]);
        return { users, groups };
      });
    return this.names.within(`${socket} ${image}`, load, BLINK);
  }

  clear(): void {
    this.folders.clear();
    this.names.clear();
  }
}

async function withTree<T>(
  socketPath: string,
  image: string,
  work: (tree: PinnaceTree, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const client = createClient({ socketPath });
  try {
    const tree = new PinnaceTree(client.transport, { kind: 'image', id: image });
    return await work(tree, AbortSignal.timeout(TIME_LIMIT));
  } finally {
    client.close();
  }
}

/** The first fields of the file's lines, those that are plain names. */
async function namesOf(tree: PinnaceTree, path: string, signal: AbortSignal): Promise<string[]> {
  try {
    const tooLarge = (): EngineError =>
      new EngineError('invalid', `${path} is too large`, { path });
    const text = await collect(await tree.read(path, { signal }), FILE_LIMIT, tooLarge);
    const names = text
      .toString('utf8')
      .split('\n')
      .flatMap((line) => /^([A-Za-z_][\w.-]{0,63}\$?):/.exec(line)?.[1] ?? []);
    return [...new Set(names)].slice(0, NAMES_LIMIT);
  } catch {
    return []; // An image without such a file has no names.
  }
}
