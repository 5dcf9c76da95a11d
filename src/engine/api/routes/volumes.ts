/** The routes of named volumes. */

import type { Filters, VolumeCreateRequest, VolumeInfo } from '../../../lib/api/system.ts';
import { readJson } from '../body.ts';
import type { Handlers } from '../exchange.ts';
import { param, sendEmpty, sendJson, speaks } from '../exchange.ts';
import { checkFilters } from '../query.ts';
import { VOLUME_CREATE_SHAPE } from '../shapes.ts';
import { matchesLabels, truth } from './filters.ts';

/** What these routes call. */
export interface VolumeService {
  create(request: VolumeCreateRequest): Promise<VolumeInfo>;
  get(name: string): VolumeInfo;
  list(): VolumeInfo[];
  remove(name: string, options: { force: boolean }): Promise<void>;
  prune(options: {
    all: boolean;
    inUse: ReadonlySet<string>;
  }): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
  /** Names of the volumes that some container mounts. */
  inUse(): Promise<ReadonlySet<string>>;
}

type Names = 'volume.list' | 'volume.create' | 'volume.inspect' | 'volume.remove' | 'volume.prune';

export function volumeRoutes(volumes: VolumeService): Pick<Handlers, Names> {
  return {
    'volume.list': async (exchange) => {
      const filters = exchange.query.filters();
      checkFilters(filters, ['dangling', 'driver', 'label', 'name']);
      const inUse = 'dangling' in filters ? await volumes.inUse() : new Set<string>();
      sendJson(exchange, {
        Volumes: volumes.list().filter((volume) => matches(volume, filters, inUse)),
        Warnings: null,
      });
    },
    'volume.create': async (exchange) => {
      const request =
        (await readJson<VolumeCreateRequest>(exchange.body, VOLUME_CREATE_SHAPE)) ?? {};
      sendJson(exchange, await volumes.create(request), 201);
    },
    'volume.inspect': (exchange) => sendJson(exchange, volumes.get(param(exchange, 'name'))),
    'volume.remove': async (exchange) => {
      await volumes.remove(param(exchange, 'name'), { force: exchange.query.bool('force') });
      sendEmpty(exchange);
    },
    'volume.prune': async (exchange) => {
      const filters = exchange.query.filters();
      checkFilters(filters, ['all', 'label', 'label!']);
      // Before API 1.42 a prune took named volumes too.
      const all = truth(filters, 'all') ?? !speaks(exchange, '1.42');
      const keep = new Set(await volumes.inUse());
      for (const volume of volumes.list())
        if (!matchesLabels(volume.Labels, filters)) keep.add(volume.Name);
      sendJson(exchange, await volumes.prune({ all, inUse: keep }));
    },
  };
}

function matches(volume: VolumeInfo, filters: Filters, inUse: ReadonlySet<string>): boolean {
  const dangling = truth(filters, 'dangling');
  if (dangling !== undefined && dangling === inUse.has(volume.Name)) return false;
  const { name, driver } = filters as { name?: readonly string[]; driver?: readonly string[] };
  if (name !== undefined && !name.some((part) => volume.Name.includes(part))) return false;
  if (driver !== undefined && !driver.includes(volume.Driver)) return false;
  return matchesLabels(volume.Labels, filters);
}
