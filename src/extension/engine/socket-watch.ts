/** Tells when a unix socket may have come or gone, by watching its folder; never polls and never connects. */
import { accessSync, constants, type FSWatcher, watch } from 'node:fs';
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
  let pending = false;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(onChange, SETTLE);
  };
  const follow = (): void => {
    files?.close();
    files = undefined;
    let child = path;
    while (!over && files === undefined && child !== dirname(child)) {
      files = watchName(child, again);
      if (files === undefined) child = dirname(child);
    }
    // The folder may have come between the two looks at it.
    if (child !== path && isReadable(child)) again();
  };
  // Behind each event the folder may be another one: it is looked for anew.
  const again = (): void => {
    if (over || pending) return;
    pending = true;
    setImmediate(() => {
      pending = false;
      if (!over) follow();
    });
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

/** A folder that we may not read is not watched, whether it is there or not. */
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Watches for one name in its folder, and for the folder's own end; undefined where the folder is not there. */
function watchName(path: string, onEvent: () => void): FSWatcher | undefined {
  const folder = dirname(path);
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      // The folder's own name is told when the folder goes.
      if (name === null || name === basename(path) || name === basename(folder)) onEvent();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
