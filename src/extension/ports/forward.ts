/** Ports of containers carried to loopback ports of this machine, through the engine's dial: one for each, however often it is asked for. Opens nothing but loopback listeners. */
import type { Duplex } from 'node:stream';
import { forward, type Forward } from '../../client/devcontainer/forward.ts';

export interface Forwards {
  /** The local port; the same one for a port that is forwarded already. Prefers the same number. Throws `unavailable`. */
  open(container: string, port: number): Promise<number>;
  stop(container: string, port: number): void;
  close(): void;
}

export interface Dialer {
  readonly dial: (container: string, port: number) => Promise<Duplex>;
}

/** Below it only root may listen. */
const PRIVILEGED = 1024;

export function createForwards({ dial }: Dialer): Forwards {
  const made = new Map<string, Promise<Forward>>();
  const stop = (key: string): void => {
    void made.get(key)?.then(
      (listener) => listener.close(),
      () => undefined,
    );
    made.delete(key);
  };
  return {
    open: async (container, port) => {
      const key = `${container} ${String(port)}`;
      const preferred = port < PRIVILEGED ? {} : { preferred: port };
      const opening = made.get(key) ?? forward(() => dial(container, port), preferred);
      made.set(key, opening);
      try {
        return (await opening).port;
      } catch (error) {
        if (made.get(key) === opening) made.delete(key);
        throw error;
      }
    },
    stop: (container, port) => stop(`${container} ${String(port)}`),
    close: () => {
      for (const key of [...made.keys()]) stop(key);
    },
  };
}
