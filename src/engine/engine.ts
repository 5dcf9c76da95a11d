/**
 * The composition root: makes every part of the engine, passes each its dependencies, serves until told to end,
 * and takes everything down in reverse order. Containers go on without it.
 */

import { chmodSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, messageOf } from '../lib/errors.ts';
import { platformOf } from '../lib/image/platform.ts';
import { VERSION } from '../lib/version.ts';
import { createHandlers } from './api/handlers.ts';
import { createApiServer } from './api/server.ts';
import { builderMigrations } from './builder/cache.ts';
import { createBuilder } from './builder/builder.ts';
import type { EngineBuilder } from './builder/builder.ts';
import { containerMigrations } from './containers/table.ts';
import { openContainers } from './containers/containers.ts';
import type { ContainerStore } from './containers/containers.ts';
import { createEventBus } from './events/bus.ts';
import type { EventBus } from './events/types.ts';
import { watchIdle } from './idle.ts';
import { imageMigrations } from './images/image-table.ts';
import { openImages } from './images/store.ts';
import type { ImageEvent } from './images/types.ts';
import { readRegistryConfig } from './images/config.ts';
import { readHolder, takeLock } from './lock.ts';
import type { EngineLock } from './lock.ts';
import { openLog } from './log.ts';
import type { Log } from './log.ts';
import { createNetworks } from './network/networks.ts';
import { thermalPaths } from './runtime/devices.ts';
import { createNative } from './runtime/native.ts';
import { probe as probeMachine } from './runtime/probe.ts';
import { createRuntime } from './runtime/shim.ts';
import type { Mode } from './runtime/types.ts';
import { createControl, volumesInUse } from './services/control.ts';
import { createImageService } from './services/images.ts';
import { createSystemService } from './services/system.ts';
import { openBlobs } from './storage/blobs.ts';
import { openDatabase } from './storage/database.ts';
import { clearTemporary, makePlaces } from './storage/places.ts';
import { snapshotMigrations } from './storage/snapshot-table.ts';
import { openSnapshots } from './storage/snapshots.ts';
import type { Places } from './storage/types.ts';
import { createVolumes, volumeMigrations } from './volumes/volumes.ts';

export interface EngineOptions {
  readonly dataRoot: string;
  readonly runRoot: string;
  /** Seconds; 0: never. */
  readonly idleExit: number;
  readonly foreground: boolean;
}

/** Requests under way get this long to end when the engine does. */
const DRAIN_MS = 500;
/** How long the engine that has the lock may take to serve, or to end. */
const LOCK_WITHIN_MS = 8000;
const LOCK_POLL_MS = 20;

/** Serves until a signal, a shutdown request or the idle time; resolves to the exit status. */
export async function runEngine(options: EngineOptions): Promise<number> {
  process.umask(0o077);
  let log: Log | undefined;
  try {
    const places = makePlaces(options);
    log = openLog(join(places.dataRoot, 'engine.log'), {
      echo: options.foreground ? 'stderr' : 'none',
      clock: () => new Date(),
    });
    const lock = await waitForLock(places);
    if (lock === undefined) return servedBy(places, log);
    await serve({ options, places, log, lock });
    return 0;
  } catch (error) {
    const text = `the engine cannot go on: ${describe(error)}`;
    if (log === undefined) process.stderr.write(`${text}\n`);
    else log.error(text);
    return 1;
  }
}

interface Frame {
  readonly options: EngineOptions;
  readonly places: Places;
  readonly log: Log;
  readonly lock: EngineLock;
}

async function serve(frame: Frame): Promise<void> {
  const { options, places, log, lock } = frame;
  const socket = join(places.runRoot, 'engine.sock');
  const end = Promise.withResolvers<string>();
  watchFailures(log, end.resolve);
  const engine = await compose(frame, {
    socket,
    shutdown: () => end.resolve('a client asked for it'),
  });
  const server = engine.server;
  await listen(server, socket);
  lock.announce({ pid: process.pid, runRoot: places.runRoot, socket });
  log.info(
    `Pinnace ${VERSION} serves unix://${socket} (process ${process.pid}, mode ${engine.mode})`,
  );
  const stopWatching = watchIdle(server, {
    seconds: options.idleExit,
    isBusy: engine.isBusy,
    onIdle: () => end.resolve(`nothing ran and nobody was connected for ${options.idleExit} s`),
  });
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(name, () => end.resolve(name));
  const reason = await end.promise;
  log.info(`the engine ends: ${reason}`);
  stopWatching();
  // The name goes first: who comes now starts a new engine, which waits for the lock's end.
  rmSync(socket, { force: true });
  await closeServer(server);
  await engine.close();
  lock.release();
  log.close();
}

interface Composed {
  readonly server: Server;
  readonly mode: Mode;
  readonly isBusy: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

async function compose(
  frame: Frame,
  ends: { readonly socket: string; readonly shutdown: () => void },
): Promise<Composed> {
  const { options, places, log } = frame;
  const startedAt = new Date();
  const clock = (): Date => new Date();
  const now = (): number => Date.now();
  const warn = (message: string): void => log.warn(message);
  const mode = modeOf(process.env);
  const native = createNative(nativeOf(process.env));
  const probing = probeMachine(native);
  // Looked at when it is needed; a failure until then is no unhandled one.
  probing.catch(() => undefined);
  const migrations = [
    ...snapshotMigrations,
    ...imageMigrations,
    ...volumeMigrations,
    ...containerMigrations,
    ...builderMigrations,
  ];
  const database = openDatabase(places, migrations);
  await clearTemporary(places);
  const blobs = openBlobs(places);
  const snapshots = await openSnapshots({ places, database, blobs, native, warn });
  const events = createEventBus({
    onError: (error) => log.error(`an event's listener failed: ${describe(error)}`),
  });
  const probe = await probing;
  const registry = readRegistryConfig(process.env, places.dataRoot);
  const volumes = createVolumes({ database, places, native, events, clock });
  const networks = createNetworks({ seed: places.dataRoot, created: startedAt.toISOString() });
  // Images must know who needs them; those are made after the images.
  let containers: ContainerStore | undefined;
  let builder: EngineBuilder | undefined;
  const images = await openImages({
    database,
    blobs,
    snapshots,
    registry,
    platform: platformOf(process.arch),
    usersOf: (id) => containers?.usersOf(id) ?? [],
    neededChains: () => [...(containers?.neededChains() ?? []), ...(builder?.neededChains() ?? [])],
    emit: imageEvents(events),
    warn,
    now,
  });
  const runtime = createRuntime({ native, mode });
  const host = {
    mode,
    arch: probe.arch,
    kernel: probe.kernel,
    masked: thermalPaths(),
    helper: native.path,
  };
  builder = createBuilder({
    database,
    places,
    images,
    snapshots,
    runtime,
    native,
    host,
    events,
    clock: now,
  });
  containers = await openContainers({
    database,
    places,
    images,
    snapshots,
    runtime,
    native,
    networks,
    volumes,
    events,
    probe,
    clock,
    warn,
  });
  await Promise.all([volumes.reconcile(), builder.reconcileBuilds()]);
  const store = containers;
  const imageParts = { store: images, snapshots, usersOf: (id: string) => store.usersOf(id), now };
  const control = createControl({
    places,
    socket: ends.socket,
    mode,
    probe,
    startedAt,
    idleExit: options.idleExit,
    containers: store,
    images,
    shutdown: ends.shutdown,
  });
  const server = createApiServer({
    version: VERSION,
    onError: (message) => log.error(message),
    handlers: createHandlers({
      containers: store,
      images: createImageService(imageParts),
      builder,
      volumes: Object.assign(volumes, { inUse: () => volumesInUse(store) }),
      networks,
      system: createSystemService({
        ...imageParts,
        containers: store,
        volumes,
        native,
        places,
        probe,
        mode,
        registry,
        startedAt,
        clock,
      }),
      events,
      engine: control,
    }),
  });
  return {
    server,
    mode,
    isBusy: () => Promise.resolve(store.runningCount() > 0),
    close: async () => {
      await store.close();
      await snapshots.close().catch((error: unknown) => {
        log.warn(`layers are not synced to the disk: ${describe(error)}`);
      });
      database.close();
    },
  };
}

/** `pinnace-native enter` says which mode it has set up. Run by itself the engine has only root's own mode. */
function modeOf(env: NodeJS.ProcessEnv): Mode {
  const mode = env['PINNACE_MODE'];
  if (mode === 'system' || mode === 'rootless' || mode === 'single-id') return mode;
  throw new EngineError(
    'unavailable',
    "PINNACE_MODE is not set: the engine is started by 'pinnace engine start'",
  );
}

function nativeOf(env: NodeJS.ProcessEnv): string {
  const path = env['PINNACE_NATIVE'] ?? '';
  if (path !== '') return path;
  throw new EngineError(
    'unavailable',
    "PINNACE_NATIVE is not set: the engine is started by 'pinnace engine start'",
  );
}

/** The image store's events in the form of the bus. */
function imageEvents(events: EventBus): (event: ImageEvent) => void {
  return ({ action, id, attributes }) =>
    events.emit('image', action, { ID: id, Attributes: { ...attributes } });
}

/** Only this user may connect: the folder is 0700, the socket 0600 from its first moment (umask). */
async function listen(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o600);
}

/** Lets requests under way end, then cuts what is left (followers, attached terminals). */
async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}

/** A bug must not go on with broken state: it is written down and ends the engine, whose successor reconciles. */
function watchFailures(log: Log, end: (reason: string) => void): void {
  process.on('uncaughtException', (error) => {
    log.error(`uncaught: ${describe(error)}`);
    end('an error that nobody caught');
  });
  process.on('unhandledRejection', (error) => log.error(`unhandled rejection: ${describe(error)}`));
}

/** The lock, or undefined once the engine that has it serves. One that is just ending is waited for. */
async function waitForLock(places: Places): Promise<EngineLock | undefined> {
  const deadline = performance.now() + LOCK_WITHIN_MS;
  for (;;) {
    const lock = takeLock(places);
    if (lock !== undefined) return lock;
    const holder = readHolder(places.dataRoot);
    if (holder !== undefined && (await accepts(holder.socket))) return undefined;
    if (performance.now() > deadline) {
      throw new EngineError(
        'unavailable',
        `another engine has locked ${places.dataRoot} or ${places.runRoot} but does not serve: see its log, ${join(places.dataRoot, 'engine.log')}`,
      );
    }
    await delay(LOCK_POLL_MS);
  }
}

/** Whether somebody listens on a unix socket. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });
}

/** Another engine has the lock: fine when it is the one that was asked for. */
function servedBy(places: Places, log: Log): number {
  const holder = readHolder(places.dataRoot);
  if (holder === undefined || holder.runRoot === places.runRoot) {
    log.info(
      holder === undefined
        ? 'another engine is starting on these roots'
        : `engine ${holder.pid} serves unix://${holder.socket} already`,
    );
    return 0;
  }
  log.error(
    `the data root ${places.dataRoot} is served by engine ${holder.pid} at unix://${holder.socket}: stop it, or use its run root ${holder.runRoot}`,
  );
  return 1;
}

function describe(error: unknown): string {
  if (error instanceof EngineError && error.kind !== 'internal') return error.message;
  return error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
}
