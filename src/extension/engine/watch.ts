/**
 * Knows whether the user's engine serves: looks when asked and when its socket comes or goes. Starts nothing, keeps no
 * connection open (that would keep the engine from ending by itself), and knows no editor.
 */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { createClient } from '../../client/api/client.ts';
import type { PinnaceInfo } from '../../lib/api/system.ts';
import { kindOf, messageOf } from '../../lib/errors.ts';

export type EngineState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'running'; readonly info: PinnaceInfo | undefined }
  | { readonly kind: 'failed'; readonly message: string };

export interface EngineWatch {
  readonly state: EngineState;
  /** Looks again; the listener hears of it. Never throws: a failure is a state. */
  refresh(): Promise<void>;
  dispose(): void;
}

export interface WatchOptions {
  /** Where the engine's socket is; asked at each look, since settings change. May throw. */
  readonly socketPath: () => string;
  readonly onState: (state: EngineState) => void;
}

const LOOK_TIMEOUT = 3000;
/** The socket is made a moment before it answers. */
const SETTLE = 200;

export function watchEngine({ socketPath, onState }: WatchOptions): EngineWatch {
  let state: EngineState = { kind: 'unknown' };
  let files: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let watched = '';
  let latest = 0;

  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void refresh(), SETTLE);
  };

  const follow = (path: string): void => {
    if (watched === path && files !== undefined) return;
    files?.close();
    files = watchSocket(path, { onChange: soon, onEnd: () => (files = undefined) });
    watched = path;
  };

  const refresh = async (): Promise<void> => {
    const turn = ++latest;
    const found = await look(socketPath, follow);
    if (turn !== latest) return;
    state = found;
    onState(found);
  };

  return {
    get state() {
      return state;
    },
    refresh,
    dispose: () => {
      latest++;
      clearTimeout(timer);
      files?.close();
    },
  };
}

async function look(
  socketPath: () => string,
  follow: (path: string) => void,
): Promise<EngineState> {
  try {
    const path = socketPath();
    follow(path);
    return await ask(path);
  } catch (error) {
    return { kind: 'failed', message: messageOf(error) };
  }
}

async function ask(socketPath: string): Promise<EngineState> {
  const client = createClient({ socketPath });
  try {
    const info = await client.system.pinnaceInfo({ signal: AbortSignal.timeout(LOOK_TIMEOUT) });
    return { kind: 'running', info };
  } catch (error) {
    if (kindOf(error) === 'unavailable') return { kind: 'stopped' };
    throw error;
  } finally {
    client.close();
  }
}

/** Watches the socket's folder; undefined while there is none (the next look tries again). */
function watchSocket(
  path: string,
  { onChange, onEnd }: { onChange: () => void; onEnd: () => void },
): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(path)) onChange();
    });
    watcher.on('error', () => {
      watcher.close();
      onEnd();
    });
    return watcher;
  } catch {
    return undefined; // The run root is made when the engine first starts.
  }
}
