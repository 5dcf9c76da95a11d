/**
 * Containers that are made only to look at the files of an image or a volume, for engines that give those in no other
 * way: created, never started, removed a moment after their last use. Whoever made one is written on it, so that what
 * a killed editor left behind is found and taken away. Files themselves are the business of ArchiveTree.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { ContainerCreateRequest } from '../../lib/api/containers.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { dropStandInImage, type StandInImage, standInImage } from './stand-in-image.ts';
import { STAND_IN_LABEL, STAND_IN_OWNER_LABEL } from './stand-in-mark.ts';
import { type TreeName, treeText } from './tree.ts';

/** Where a volume is mounted: in a place that no image has, since what an image has there would be copied into it. */
export const VOLUME_ROOT = '/.pinnace-volume';
/** Milliseconds that a stand-in stays after its last use: it holds its volume or image in use. */
const LINGER = 3000;
/** Milliseconds that the engine may take to remove one. */
const GOING = 5000;
/** Milliseconds after which a stand-in of another machine is nobody's. */
const FORGOTTEN = 24 * 60 * 60 * 1000;

/** A stand-in in use: `release` must be called, once. */
export interface Lease {
  readonly container: string;
  readonly release: () => void;
}

interface StandIn {
  readonly container: Promise<string>;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

/** Those of an engine's client: one pool for all who look at its files. */
export function standInsOf(client: Client): StandIns {
  const held = POOLS.get(client) ?? new StandIns(client);
  POOLS.set(client, held);
  return held;
}

const POOLS = new WeakMap<Client, StandIns>();

export class StandIns {
  private readonly client: Client;
  private readonly held = new Map<string, StandIn>();
  private swept: Promise<void> | undefined;
  /** Removals under way, so that they can be waited for. */
  private readonly going = new Set<Promise<void>>();
  /** An image of ours was brought to this engine. */
  private brought = false;

  constructor(client: Client) {
    this.client = client;
  }

  /** The stand-in of a tree, made where there is none. Throws EngineError: not-found for what the engine does not have. */
  async take(name: TreeName): Promise<Lease> {
    const key = `${name.kind} ${name.id}`;
    const standIn = this.held.get(key) ?? this.make(key, name);
    standIn.users += 1;
    clearTimeout(standIn.timer);
    let isOver = false;
    const release = (): void => {
      if (isOver) return;
      isOver = true;
      standIn.users -= 1;
      if (standIn.users > 0 || this.held.get(key) !== standIn) return;
      standIn.timer = setTimeout(() => this.drop(key, standIn), LINGER);
    };
    try {
      return { container: await standIn.container, release };
    } catch (error) {
      if (this.held.get(key) === standIn) this.held.delete(key);
      throw error;
    }
  }

  /** A stand-in that is gone all the same (pruned by somebody) is not used again. */
  async forget(name: TreeName, container: string): Promise<void> {
    const key = `${name.kind} ${name.id}`;
    const standIn = this.held.get(key);
    const isIt = standIn !== undefined && (await standIn.container.catch(() => '')) === container;
    if (isIt && this.held.get(key) === standIn) this.drop(key, standIn);
  }

  /** Takes away at once what nobody uses now; resolves when it is gone. Removals of volumes and images want it. */
  async releaseIdle(): Promise<void> {
    for (const [key, standIn] of [...this.held]) if (standIn.users === 0) this.drop(key, standIn);
    await Promise.allSettled([...this.going]);
  }

  /** Takes away what editors that were killed have left behind; once for each engine, again when asked for. */
  async sweep(): Promise<void> {
    const filters = { label: [STAND_IN_LABEL] };
    const found = await this.client.containers.list({ all: true, filters });
    for (const { Id, Labels, Created } of found) {
      if (isAlive(Labels[STAND_IN_OWNER_LABEL] ?? '', Created * 1000)) continue;
      await this.remove(Id, Labels[STAND_IN_LABEL] ?? '');
    }
    // One that is in use by another window stays: the engine says so.
    if ((await this.client.images.list({ filters })).length > 0)
      await dropStandInImage(this.client);
  }

  /** A container of a tree's files, with the changes that its use wants. The caller removes it by `remove`. */
  async create(name: TreeName, changes: ContainerCreateRequest = { Image: '' }): Promise<string> {
    const image = await this.imageOf(name);
    const { Id } = await this.client.containers.create(
      `pinnace-files-${randomBytes(6).toString('hex')}`,
      {
        // It is never started; engines want a program all the same.
        Entrypoint: ['/pinnace'],
        User: '0:0',
        WorkingDir: '/',
        ...changes,
        Image: image.reference,
        Labels: {
          [STAND_IN_LABEL]: name.kind,
          [STAND_IN_OWNER_LABEL]: `${hostname()}/${String(process.pid)}`,
        },
        HostConfig: {
          ...changes.HostConfig,
          NetworkMode: 'none',
          ...(name.kind === 'volume' ? { Mounts: [mountOf(name.id)] } : {}),
        },
      },
    );
    return Id;
  }

  /** Volumes that were made for the container alone, as images ask for them, go with it; others never. */
  async remove(container: string, kind: string): Promise<void> {
    try {
      await this.client.containers.remove(container, { force: true, volumes: kind === 'image' });
    } catch (error) {
      const kind = kindOf(error);
      if (kind === 'conflict') await this.gone(container);
      else if (kind !== 'not-found') throw error;
    }
  }

  /** One that is going already, as those do that remove themselves, is waited for: its image is held until then. */
  private async gone(container: string): Promise<void> {
    const { containers } = this.client;
    const signal = AbortSignal.timeout(GOING);
    try {
      await (
        await containers.wait(container, 'removed', { signal })
      ).result;
    } catch (error) {
      if (!['not-found', 'cancelled'].includes(kindOf(error))) throw error;
    }
  }

  private make(key: string, name: TreeName): StandIn {
    this.swept ??= this.sweep().catch(() => undefined);
    // Not to be cancelled: a call that is cut may have made a container that nobody knows.
    const made: StandIn = { container: this.create(name), users: 0, timer: undefined };
    made.container.catch(() => undefined);
    this.held.set(key, made);
    return made;
  }

  private drop(key: string, standIn: StandIn): void {
    clearTimeout(standIn.timer);
    if (this.held.get(key) === standIn) this.held.delete(key);
    const [kind = ''] = key.split(' ');
    const gone = standIn.container
      .then(async (container) => {
        await this.remove(container, kind);
        if (this.brought && this.held.size === 0) await dropStandInImage(this.client);
      })
      // What cannot be removed now is found by the next sweep.
      .catch(() => undefined)
      .finally(() => this.going.delete(gone));
    this.going.add(gone);
  }

  private async imageOf(name: TreeName): Promise<StandInImage> {
    if (name.kind === 'image') return { reference: name.id, brought: false };
    if (name.kind === 'container')
      throw new EngineError('internal', `${treeText(name)} needs no stand-in`);
    // An engine makes a volume that is not there.
    await this.client.volumes.inspect(name.id);
    const image = await standInImage(this.client);
    this.brought ||= image.brought;
    return image;
  }
}

function mountOf(volume: string) {
  return {
    Type: 'volume',
    Source: volume,
    Target: VOLUME_ROOT,
    VolumeOptions: { NoCopy: true },
  } as const;
}

/** Of this machine while its process is; of another for a day. */
function isAlive(owner: string, created: number): boolean {
  const [host, pid] = owner.split('/');
  if (host !== hostname()) return Date.now() - created < FORGOTTEN;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
