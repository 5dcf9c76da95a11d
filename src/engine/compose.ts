/** The composition root: makes every part of the engine in order and passes each its dependencies. It decides nothing else. */

import type { Server } from 'node:http';
import { join } from 'node:path';
import { EngineError } from '../lib/errors.ts';
import { platformOf } from '../lib/image/platform.ts';
import { VERSION } from '../lib/version.ts';
import { createHandlers } from './api/handlers.ts';
import { createApiServer } from './api/server.ts';
import { createBuilder } from './builder/builder.ts';
import type { EngineBuilder } from './builder/builder.ts';
import { builderMigrations } from './builder/cache.ts';
import { recordMigrations } from './builder/records/table.ts';
import { openContainers } from './containers/containers.ts';
import type { ContainerStore } from './containers/containers.ts';
import { containerMigrations } from './containers/table.ts';
import { createEventBus } from './events/bus.ts';
import { readRegistryConfig } from './images/config.ts';
import { imageMigrations } from './images/image-table.ts';
import { openImages } from './images/store.ts';
import { describe } from './log.ts';
import type { Log } from './log.ts';
import { networkMigrations } from './network/network-table.ts';
import { createNetworks } from './network/networks.ts';
import type { EmitNetworkEvent, NetworkStore } from './network/networks.ts';
import { portFacts } from './network/ports.ts';
import { HelperSandboxes } from './network/sandboxes.ts';
import { thermalPaths } from './runtime/devices.ts';
import { createNative } from './runtime/native.ts';
import { createNetSupervisor } from './runtime/net.ts';
import { probe as probeMachine } from './runtime/probe.ts';
import { createRuntime } from './runtime/shim.ts';
import { lowestLayers } from './runtime/single-id.ts';
import type { Mode } from './runtime/types.ts';
import { createControl, volumesInUse } from './services/control.ts';
import { createFileService } from './services/files.ts';
import { createImageService } from './services/images.ts';
import { createStepNetworks } from './services/step-networks.ts';
import { createSystemService } from './services/system.ts';
import { openBlobs } from './storage/blobs.ts';
import { openDatabase } from './storage/database.ts';
import { clearTemporary } from './storage/places.ts';
import { snapshotMigrations } from './storage/snapshot-table.ts';
import { openSnapshots } from './storage/snapshots.ts';
import type { Places } from './storage/types.ts';
import { createVolumes, volumeMigrations } from './volumes/volumes.ts';

export interface ComposeOptions {
  readonly places: Places;
  readonly log: Log;
  readonly socket: string;
  /** Seconds; 0: never. */
  readonly idleExit: number;
  readonly shutdown: () => void;
}

export interface Composed {
  /** Not yet listening. */
  readonly server: Server;
  readonly mode: Mode;
  readonly isBusy: () => Promise<boolean>;
  /** Call it once nobody is served any more. */
  readonly close: () => Promise<void>;
}

const clock = (): Date => new Date();
const now = (): number => Date.now();

/** Makes the engine and takes up what the last one left. Only for the holder of the lock. */
export async function compose(options: ComposeOptions): Promise<Composed> {
  const { log } = options;
  const ground = await makeGround(options);
  const parts = await makeParts(ground);
  const { containers } = parts;
  return {
    server: makeServer(options, { ...ground, ...parts }),
    mode: ground.mode,
    isBusy: () => Promise.resolve(containers.runningCount() > 0),
    close: async () => {
      await containers.close();
      await parts.sandboxes.close();
      await ground.snapshots.close().catch((error: unknown) => {
        log.warn(`layers are not synced to the disk: ${describe(error)}`);
      });
      ground.database.close();
    },
  };
}

type Ground = Awaited<ReturnType<typeof makeGround>>;

/** What everything stands on: database, layers, the native helper and what it says of the machine. */
async function makeGround({ places, log }: ComposeOptions) {
  const warn = (message: string): void => log.warn(message);
  const mode = modeOf(process.env);
  const native = createNative(nativeOf(process.env));
  const probing = probeMachine(native);
  // Looked at when it is needed; a failure until then is no unhandled one.
  probing.catch(() => undefined);
  const database = openDatabase(places, [
    ...snapshotMigrations,
    ...imageMigrations,
    ...volumeMigrations,
    ...networkMigrations,
    ...containerMigrations,
    ...builderMigrations,
    ...recordMigrations,
  ]);
  await clearTemporary(places);
  const blobs = openBlobs(places);
  const snapshots = await openSnapshots({ places, database, blobs, native, warn });
  const events = createEventBus({
    onError: (error) => log.error(`an event's listener failed: ${describe(error)}`),
  });
  const registry = readRegistryConfig(process.env, places.dataRoot);
  const runtime = createRuntime({ native, mode });
  return {
    places,
    warn,
    mode,
    native,
    database,
    blobs,
    snapshots,
    events,
    registry,
    runtime,
    probe: await probing,
  };
}

type Parts = Awaited<ReturnType<typeof makeParts>>;

/** Volumes, networks, images, the builder and the containers. */
async function makeParts(ground: Ground) {
  const { mode, native, events, probe } = ground;
  const startedAt = clock();
  const volumes = createVolumes({ ...ground, clock });
  const { networks, sandboxes, hostLoopback } = makeNetworks(ground);
  // Images must know who needs them; those are made after the images.
  const later: { containers?: ContainerStore; builder?: EngineBuilder } = {};
  const images = await openImages({
    ...ground,
    platform: platformOf(process.arch),
    usersOf: (id) => later.containers?.usersOf(id) ?? [],
    neededChains: () => [
      ...(later.containers?.neededChains() ?? []),
      ...(later.builder?.neededChains() ?? []),
    ],
    emit: ({ action, id, attributes }) =>
      events.emit('image', action, { ID: id, Attributes: { ...attributes } }),
    now,
  });
  const { arch, kernel } = probe;
  const host = {
    mode,
    arch,
    kernel,
    masked: thermalPaths(),
    helper: native.path,
    lowest: lowestLayers(mode, ground.places.dataRoot),
  };
  const stepNetworks = createStepNetworks({ sandboxes, containers: () => later.containers });
  const builder = createBuilder({ ...ground, images, host, stepNetworks, clock: now });
  later.builder = builder;
  const containers = await openContainers({
    ...ground,
    host,
    images,
    networks,
    sandboxes,
    hostLoopback,
    volumes,
    clock,
  });
  later.containers = containers;
  await Promise.all([volumes.reconcile(), builder.reconcileBuilds()]);
  if (containers.hasNetworks()) sandboxes.warm();
  return { startedAt, volumes, networks, sandboxes, images, builder, containers };
}

/** The networks and those on them, who need each other. */
function makeNetworks({ places, native, database, events, probe, warn }: Ground) {
  const emit: EmitNetworkEvent = (action, id, attributes) =>
    events.emit('network', action, { ID: id, Attributes: attributes });
  const possible = probe.network === true;
  const hostLoopback = process.env['PINNACE_HOST_LOOPBACK'] === '1';
  const later: { networks?: NetworkStore } = {};
  const sandboxes = new HelperSandboxes({
    supervisor: createNetSupervisor({ native, dir: join(places.runRoot, 'net') }),
    possible,
    find: (reference) => tableOf(later).find(reference),
    byId: (id) => tableOf(later).byId(id),
    numbers: () =>
      tableOf(later)
        .all()
        .map(({ number }) => number),
    emit,
    ports: portFacts(),
    hostLoopback,
    warn,
  });
  const networks = createNetworks({
    database,
    seed: places.dataRoot,
    clock,
    emit,
    possible,
    members: (id) => sandboxes.members(id),
    forget: (network) => sandboxes.forget(network),
  });
  later.networks = networks;
  return { networks, sandboxes, hostLoopback };
}

function tableOf({ networks }: { networks?: NetworkStore }): NetworkStore['table'] {
  if (networks === undefined) throw new EngineError('internal', 'the networks are not open yet');
  return networks.table;
}

function makeServer(options: ComposeOptions, parts: Ground & Parts): Server {
  const { log, socket, idleExit, shutdown } = options;
  const { containers, images, snapshots, builder, networks, events, volumes } = parts;
  const usersOf = (id: string): ReturnType<ContainerStore['usersOf']> => containers.usersOf(id);
  const imageParts = { store: images, snapshots, usersOf, now, registry: parts.registry };
  return createApiServer({
    version: VERSION,
    onError: (message) => log.error(message),
    handlers: createHandlers({
      containers,
      images: createImageService(imageParts),
      builder,
      files: createFileService(parts),
      volumes: Object.assign(volumes, { inUse: () => volumesInUse(containers) }),
      networks: {
        ...networks,
        connect: (network, ref, settings) => containers.connect(network, ref, settings),
        disconnect: (network, ref, how) => containers.disconnect(network, ref, how),
      },
      system: createSystemService({ ...parts, ...imageParts, clock }),
      events,
      engine: createControl({ ...parts, socket, idleExit, shutdown }),
    }),
  });
}

/** `pinnace-native enter` says which mode it has set up. */
function modeOf(env: NodeJS.ProcessEnv): Mode {
  const mode = env['PINNACE_MODE'];
  if (mode === 'system' || mode === 'rootless' || mode === 'single-id') return mode;
  throw notStarted('PINNACE_MODE');
}

function nativeOf(env: NodeJS.ProcessEnv): string {
  const path = env['PINNACE_NATIVE'] ?? '';
  if (path !== '') return path;
  throw notStarted('PINNACE_NATIVE');
}

function notStarted(name: string): EngineError {
  return new EngineError(
    'unavailable',
    `${name} is not set: the engine is started by 'pinnace engine start'`,
  );
}
