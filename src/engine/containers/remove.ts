/** Removes containers: the row first, so that an answer is true after any crash, then volumes and files in the background. */

import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import type { Container } from './container.ts';
import { announce, placesOf } from './parts.ts';
import type { Runtime } from '../runtime/types.ts';
import type { ContainersParts } from './parts.ts';
import { SIGKILL } from './request/signals.ts';
import type { ContainerTable } from './table.ts';

/** How long a supervisor may take to end a container that nobody knows. */
const RETIRE_MS = 3000;

/** Ends what an unacknowledged start left: the supervisor removes the group and mounts itself when it can. */
export async function retire(dir: string, runtime: Runtime): Promise<void> {
  const shim = await runtime.find(dir);
  if (shim !== undefined) {
    await shim.stopCreated().catch(async () => {
      const late = new Promise((resolve) => setTimeout(resolve, RETIRE_MS).unref());
      const ended = shim.wait(null).catch(() => undefined);
      await shim.kill(SIGKILL, { all: true }).catch(() => undefined);
      await Promise.race([ended, late]);
    });
  }
  await runtime.clear(dir);
}

/** Holds the directories that are to go, so that many go with one process. */
export class Remover {
  readonly #parts: ContainersParts;
  readonly #table: ContainerTable;
  #doomed: string[] = [];
  #work: Promise<void> | undefined;

  constructor(parts: ContainersParts, table: ContainerTable) {
    this.#parts = parts;
    this.#table = table;
  }

  /** For a container without processes. */
  async erase(container: Container, options: { volumes: boolean }): Promise<void> {
    const { events, places } = this.#parts;
    container.removing = true;
    clearTimeout(container.restartTimer);
    this.#table.remove(container);
    for (const client of container.pending) client.stream.abandon();
    container.pending.clear();
    container.execs.clear();
    announce(events, container, 'destroy');
    container.announceRemoval();
    this.discard(placesOf(places, container.id).dir);
    if (options.volumes) await this.#eraseVolumes(container);
  }

  /** Removes a directory of the containers' folder some time soon. */
  discard(dir: string): void {
    this.#doomed.push(dir);
    this.#work ??= this.#sweep();
  }

  /** Settles when everything discarded so far is gone. */
  async idle(): Promise<void> {
    while (this.#work !== undefined) await this.#work;
  }

  /** Directories without a row, left by a killed engine. */
  async reconcile(): Promise<void> {
    const { places } = this.#parts;
    for (const name of await readdir(places.containersDir).catch(() => [])) {
      if (this.#table.byId(name) === undefined) this.discard(join(places.containersDir, name));
    }
    const shims = new Set(
      this.#table.all().map((container) => basename(placesOf(places, container.id).shim)),
    );
    for (const name of await readdir(places.shimsDir).catch(() => [])) {
      if (!shims.has(name)) await retire(join(places.shimsDir, name), this.#parts.runtime);
    }
  }

  async #sweep(): Promise<void> {
    // A moment's pause lets the answer go out first and gathers what ends together.
    await new Promise((resolve) => setTimeout(resolve, 20));
    while (this.#doomed.length > 0) {
      const dirs = this.#doomed;
      this.#doomed = [];
      try {
        await this.#parts.native.call(['layer', 'remove'], { dirs });
      } catch (error) {
        this.#parts.warn(`directories of removed containers were not deleted: ${messageOf(error)}`);
      }
    }
    this.#work = undefined;
  }

  async #eraseVolumes(container: Container): Promise<void> {
    const { volumes, warn } = this.#parts;
    for (const mount of container.definition.mounts) {
      const name = mount.name ?? '';
      if (mount.type !== 'volume' || !volumes.isAnonymous(name)) continue;
      if (
        this.#table
          .all()
          .some((other) => other.definition.mounts.some((used) => used.name === name))
      )
        continue;
      await volumes.remove(name, { force: true }).catch((error: unknown) => warn(messageOf(error)));
    }
  }
}
