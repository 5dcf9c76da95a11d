/** The containers, put together: finds what a reference names and hands it to the part that does the work. Holds no rules of its own. */

import type { Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import type { Shim } from '../runtime/types.ts';
import type { Container } from './container.ts';
import { commitContainer } from './commit.ts';
import { Control } from './control.ts';
import { createContainer } from './create.ts';
import {
  archiveGet,
  archivePut,
  archiveStat,
  changesOf,
  exportTree,
  filePlace,
  type FilePlace,
} from './files/archive.ts';
import { watchHealth } from './health.ts';
import { Lifecycle } from './lifecycle.ts';
import { announce, placesOf } from './parts.ts';
import type { ContainersParts } from './parts.ts';
import { reconcile } from './reconcile.ts';
import { Remover } from './remove.ts';
import { forgetHost, rewriteFiles } from './files/own-files.ts';
import { Connections } from './networking/connections.ts';
import { listeningPorts } from './networking/listening.ts';
import { attach } from './streams/attach.ts';
import { Execs } from './streams/exec.ts';
import { readLogs } from './streams/logs.ts';
import { ContainerTable } from './table.ts';
import type { Containers, Framed, LogOptions } from './types.ts';
import { Views } from './view/views.ts';

/** What the composition root needs beyond the API's interface. */
export interface ContainerStore extends Containers {
  /** Once, before the first request: takes up what the last engine left. */
  reconcile(): Promise<void>;
  /** Chain ids whose snapshots containers stand on, for sweeps. */
  neededChains(): ReadonlySet<string>;
  /** Whether some container has a network of its own, so that one will be needed. */
  hasNetworks(): boolean;
  /** Containers with processes, or about to have them again. */
  runningCount(): number;
  /** Where a file lies, for the verbs on single files. Throws not-found. */
  filePlace(ref: string, path: string, options: { write: boolean }): FilePlace;
  /** Waits for background removals and stops timers; containers run on. */
  close(): Promise<void>;
}

/** As createContainers, and takes up what the last engine left before it returns. */
export async function openContainers(parts: ContainersParts): Promise<ContainerStore> {
  const containers = createContainers(parts);
  await containers.reconcile();
  return containers;
}

function createContainers(parts: ContainersParts): ContainerStore {
  const table = new ContainerTable(parts.database);
  const remover = new Remover(parts, table);
  const connections = new Connections({
    ...parts,
    table,
    rewrite: (container, change) =>
      rewriteFiles(container, placesOf(parts.places, container.id), change),
    forgetHost: (container, line) => forgetHost(placesOf(parts.places, container.id), line),
  });
  const execs = new Execs(parts, table);
  const lifecycle = new Lifecycle({
    ...parts,
    table,
    remover,
    connections,
    watchHealth: (container) => watchHealth(container, execs, parts),
  });
  const control = new Control({ ...parts, table, lifecycle, remover, connections });
  parts.volumes.setUsers((name) =>
    table
      .all()
      .filter((container) => container.definition.mounts.some((mount) => mount.name === name))
      .map((container) => container.id),
  );
  const made: Made = { parts, table, remover, execs, lifecycle, control, connections };
  return { ...operations(made), ...inquiries(made), ...upkeep(made) };
}

interface Made {
  readonly parts: ContainersParts;
  readonly table: ContainerTable;
  readonly remover: Remover;
  readonly execs: Execs;
  readonly lifecycle: Lifecycle;
  readonly control: Control;
  readonly connections: Connections;
}

/** What changes containers. */
function operations({ parts, table, lifecycle, control, execs, connections }: Made) {
  const get = (ref: string) => table.get(ref);
  return {
    create: (name, request) => createContainer(name, request, { ...parts, table }),
    start: async (ref) => lifecycle.start(get(ref)),
    stop: async (ref, options) => control.stop(get(ref), options),
    restart: async (ref, options) => control.restart(get(ref), options),
    kill: async (ref, signal) => control.kill(get(ref), signal),
    pause: async (ref) => control.pause(get(ref)),
    unpause: async (ref) => control.unpause(get(ref)),
    rename: (ref, name) => settled(() => control.rename(get(ref), name)),
    remove: async (ref, options) => control.remove(get(ref), options),
    resize: async (ref, height, width) => control.resize(get(ref), height, width),
    execCreate: (ref, request) => settled(() => execs.create(get(ref), request)),
    execStart: (id, options) => execs.start(id, options),
    execInspect: (id) => execs.inspect(id),
    execResize: (id, height, width) => execs.resize(id, height, width),
    archivePut: async (ref, path, tar, options, signal) => {
      await archivePut(get(ref), path, tar, { ...options, signal, parts });
    },
    commit: async (ref, request) =>
      commitContainer(get(ref), request, {
        ...parts,
        pause: (container) => control.pause(container),
        unpause: (container) => control.unpause(container),
      }),
    update: async (ref, resources) => control.update(get(ref), resources),
    connect: async (network, ref, settings) => connections.join(get(ref), network, settings),
    unlink: (reference) => connections.unlink(reference),
    disconnect: async (network, ref, options) => connections.leave(get(ref), network, options),
  } satisfies Partial<Containers>;
}

/** What asks, and streams. */
function inquiries({ parts, table, control }: Made) {
  const get = (ref: string) => table.get(ref);
  const views = new Views(parts, table);
  return {
    list: (options) => views.list(options),
    inspect: async (ref, options) => views.inspect(get(ref), options),
    // Subscribes before it returns: no await may come between.
    wait: (ref, condition, signal) => settledAsync(() => control.wait(get(ref), condition, signal)),
    top: async (ref, psArgs) => views.top(get(ref), psArgs),
    logs: (ref, options, signal) => settled(() => logsOf(get(ref), options, { parts, signal })),
    attach: async (ref, options) => attach(get(ref), options, parts),
    archiveStat: async (ref, path) => archiveStat(get(ref), path, parts),
    archiveGet: async (ref, path, signal) => archiveGet(get(ref), path, parts, signal),
    export: (ref, signal) =>
      settled(() => {
        const container = get(ref);
        announce(parts.events, container, 'export');
        return exportTree(container, parts, signal);
      }),
    changes: async (ref) => changesOf(get(ref), parts),
    stats: async (ref, options) => views.stats(get(ref), options),
    listeningPorts: async (ref) => listeningPorts(running(get(ref))),
    dial: async (ref, port) => parts.sandboxes.dial(running(get(ref)), port),
    prune: (filters) =>
      views.prune(filters, (container) =>
        control.remove(container, { force: false, volumes: false }),
      ),
    usersOf: (imageId) =>
      table
        .all()
        .filter((container) => container.definition.imageId === imageId)
        .map((container) => ({ id: container.id, running: container.isRunning })),
  } satisfies Partial<Containers>;
}

/** What the composition root calls. */
function upkeep({ parts, table, lifecycle, remover }: Made) {
  return {
    reconcile: () => reconcile({ ...parts, table, lifecycle, remover }),
    neededChains: () =>
      new Set(
        table
          .all()
          .flatMap(({ definition }) => (definition.chainId === null ? [] : [definition.chainId])),
      ),
    filePlace: (ref, path, options) => filePlace(table.get(ref), path, parts, options),
    hasNetworks: () =>
      table.all().some(({ definition }) => Object.keys(definition.networks).length > 0),
    runningCount: () => table.all().filter((container) => container.isRunning).length,
    close: async () => {
      for (const container of table.all()) {
        clearTimeout(container.restartTimer);
        container.stopHealth?.();
      }
      await remover.idle();
    },
  } satisfies Partial<ContainerStore>;
}

function running(container: Container): Shim {
  if (container.shim === undefined || !container.isLive)
    throw new EngineError('conflict', `Container ${container.id} is not running`);
  return container.shim;
}

function settledAsync<T>(task: () => Promise<T>): Promise<T> {
  try {
    return task();
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}

/** A synchronous task whose failure is a rejection, as for its asynchronous siblings. */
function settled<T>(task: () => T): Promise<T> {
  return new Promise((resolve) => resolve(task()));
}

function logsOf(
  container: Container,
  options: LogOptions,
  context: { parts: ContainersParts; signal: AbortSignal },
): Framed<Readable> {
  const { hostConfig, config } = container.definition;
  if (!options.stdout && !options.stderr) {
    throw new EngineError('invalid', 'Bad parameters: you must choose at least one stream');
  }
  if (hostConfig.LogConfig?.Type === 'none') {
    throw new EngineError('not-implemented', 'configured logging driver does not support reading');
  }
  const tty = config.Tty === true;
  const source = {
    path: placesOf(context.parts.places, container.id).log,
    tty,
    isOpen: () => container.isRunning && !container.removing,
    onClose: (listener: () => void) => {
      const ends = [container.onExit(listener), container.onRemoved(listener)];
      return () => {
        for (const end of ends) end();
      };
    },
  };
  return { tty, stream: readLogs(source, options, context.signal) };
}
