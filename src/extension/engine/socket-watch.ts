/** Tells when a unix socket may have come or gone, by watching its folder; never polls and never connects. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

export interface SocketWatch {
  dispose(): void;
}

/** A socket is made a moment before it answers. */
const SETTLE = 100;

/** While the socket's folder is not there, the nearest folder above is watched until it comes. */
export function watchSocket(path: string, onChange: () => void): SocketWatch {
  let files: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(onChange, SETTLE);
  };
  const follow = (): void => {
    files?.close();
    files = undefined;
    let child = path;
    while (!over && files === undefined && child !== dirname(child)) {
      files = watchName(child, { onEvent: again, onEnd: again });
      if (files === undefined) child = dirname(child);
    }
    watched = child;
  };
  let watched = path;
  const again = (): void => {
    if (over) return;
    // The folder itself may be another one now.
    if (watched !== path || !stillThere(files)) follow();
    soon();
  };
  follow();
  return {
    dispose: () => {
      over = true;
      clearTimeout(timer);
      files?.close();
    },
  };
}

function stillThere(files: FSWatcher | undefined): boolean {
  return files !== undefined;
}

/** Watches for one name in its folder; undefined where the folder is not there. */
function watchName(
  path: string,
  { onEvent, onEnd }: { readonly onEvent: () => void; readonly onEnd: () => void },
): FSWatcher | undefined {
  const folder = dirname(path);
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      // The folder's own name is told when the folder goes.
      if (name === null || name === basename(path)) onEvent();
      else if (name === basename(folder)) onEnd();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
