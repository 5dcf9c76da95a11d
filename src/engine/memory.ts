/** Gives memory back when the engine has become quiet: V8 alone would keep the garbage of a pull or build until the next one. */

import type { Server } from 'node:http';

/** Collecting a heap of this size takes some 15 ms; nobody is served meanwhile. */
const QUIET_MS = 3000;

/** Watches the server's requests; returns the end of it. Without `--expose-gc` it does nothing. */
export function collectWhenQuiet(
  server: Server,
  collect: (() => unknown) | undefined = globalThis.gc,
): () => void {
  if (collect === undefined) return () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    clearTimeout(timer);
    timer = setTimeout(collect, QUIET_MS);
    timer.unref();
  };
  server.on('request', arm).on('upgrade', arm);
  arm();
  return () => {
    clearTimeout(timer);
    server.off('request', arm).off('upgrade', arm);
  };
}
