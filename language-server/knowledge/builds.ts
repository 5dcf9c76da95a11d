/**
 * What an engine remembers of a Dockerfile's last build, and what it would do with the text of now. Asked in the background;
 * an engine is never started for it, one without build records is asked once in a while and tells nothing.
 */
import { listBuilds, planBuild, readBuild } from '../../src/client/build/records.ts';
import { type Client, createClient } from '../../src/client/api/client.ts';
import type { BuildPlan, BuildRecord, BuildSummary } from '../../src/lib/api/builds.ts';
import { Cache } from './cache.ts';
import { socketOf } from './images.ts';

/** What is known; parts that are not known yet, or cannot be, are undefined. */
export interface KnownBuild {
  readonly record: BuildRecord | undefined;
  /** Of the very text that was asked for. */
  readonly plan: BuildPlan | undefined;
}

const SECOND = 1000;
const TIME_LIMIT = 3 * SECOND;
/** Longer texts are generated, not written. */
const TEXT_LIMIT = 500_000;

export class BuildKnowledge {
  private readonly setting: () => string;
  private readonly lists = new Cache<readonly BuildSummary[]>({
    fresh: 15 * SECOND,
    retry: 30 * SECOND,
  });
  private readonly records = new Cache<BuildRecord>({ fresh: 3600 * SECOND, retry: 30 * SECOND });
  private readonly plans = new Cache<BuildPlan>({ fresh: 60 * SECOND, retry: 60 * SECOND });
  private readonly listeners: (() => void)[] = [];

  /** `setting`: a socket, '' for the usual places, `off` to ask nobody. */
  constructor(setting: () => string) {
    this.setting = setting;
  }

  /** Calls back when more is known than was answered before. */
  onFound(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** At once with what is known of the file at a path; asks for the rest. */
  of(path: string, text: string): KnownBuild {
    const setting = this.setting();
    const socket = setting === 'off' ? undefined : socketOf(setting);
    if (socket === undefined) return { record: undefined, plan: undefined };
    const list = this.lists.get(socket, () => this.found(socket, listOf));
    const last = list.value?.find(
      ({ dockerfile, status }) => dockerfile === path && status !== 'running',
    );
    if (last === undefined) return { record: undefined, plan: undefined };
    const { id } = last;
    const read = (client: Client, signal: AbortSignal): Promise<BuildRecord> =>
      readBuild(client.transport, id, { signal });
    const record = this.records.get(`${socket} ${id}`, () => this.found(socket, read)).value;
    return { record, plan: this.planOf(socket, last, text) };
  }

  /** Whether the list of builds is known, or cannot be; waits for it for so many milliseconds. */
  async listed(limit: number): Promise<boolean> {
    const setting = this.setting();
    const socket = setting === 'off' ? undefined : socketOf(setting);
    if (socket === undefined) return true;
    return !(await this.lists.within(socket, () => this.found(socket, listOf), limit)).pending;
  }

  /** The image that the last successful build of a file's target made: a stage's name or number, '' for the last one. */
  imageOf(path: string, target: string): string | undefined {
    const setting = this.setting();
    const socket = setting === 'off' ? undefined : socketOf(setting);
    if (socket === undefined) return undefined;
    const list = this.lists.get(socket, () => this.found(socket, listOf));
    const isOf = (build: BuildSummary): boolean =>
      build.dockerfile === path &&
      build.status === 'succeeded' &&
      build.target.toLowerCase() === target;
    const image = list.value?.find(isOf)?.image;
    return image === '' ? undefined : image;
  }

  /** Forgets everything: a build was made, or the settings changed. */
  clear(): void {
    for (const cache of [this.lists, this.records, this.plans]) cache.clear();
  }

  /** Not for builds with arguments: their values are in no record, and without them the answer would be wrong. */
  private planOf(
    socket: string,
    { id, dockerfile: path, context, target, platform, argNames }: BuildSummary,
    text: string,
  ): BuildPlan | undefined {
    if (argNames.length > 0 || text.length > TEXT_LIMIT) return undefined;
    const request = { dockerfile: text, path, context, target, platform };
    const plan = (client: Client, signal: AbortSignal): Promise<BuildPlan> =>
      planBuild(client.transport, request, { signal });
    return this.plans.get(`${socket} ${id} ${text}`, () => this.found(socket, plan)).value;
  }

  private async found<T>(
    socketPath: string,
    call: (client: Client, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const client = createClient({ socketPath });
    try {
      const value = await call(client, AbortSignal.timeout(TIME_LIMIT));
      // After the cache has taken it.
      setImmediate(() => {
        for (const listener of this.listeners) listener();
      });
      return value;
    } finally {
      client.close();
    }
  }
}

function listOf(client: Client, signal: AbortSignal): Promise<BuildSummary[]> {
  return listBuilds(client.transport, { signal });
}
