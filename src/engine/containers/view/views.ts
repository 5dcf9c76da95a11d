/** Answers questions about containers: list, inspect, top, stats, and which ones a prune would take. It changes nothing itself. */

import type { ContainerInspect, ContainerSummary } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { Container } from '../container.ts';
import { announce, placesOf } from '../parts.ts';
import type { IdOf } from '../networking/settings.ts';
import type { ContainersParts } from '../parts.ts';
import type { ContainerTable } from '../table.ts';
import type { Filters } from '../types.ts';
import { checkPruneFilters, impliesAll, passes } from './filters.ts';
import type { FilterFacts } from './filters.ts';
import { inspectContainer, summarize } from './inspect.ts';
import { interfaceStats } from './interfaces.ts';
import { emptyStats, statsBody, takeSample } from './stats.ts';
import type { Sample, ShimStats } from './stats.ts';
import { containerProcesses, machineFacts, parsePsArgs, topTable } from './top.ts';

const SAMPLE_PAUSE_MS = 1000;
/** An older sample would hide what happens now. */
const SAMPLE_MAX_AGE_MS = 5000;

/** Answers questions about containers; holds only the last sample of each one's figures. */
export class Views {
  readonly #parts: ContainersParts;
  readonly #table: ContainerTable;
  readonly #samples = new WeakMap<Container, { sample: Sample; taken: number }>();

  constructor(parts: ContainersParts, table: ContainerTable) {
    this.#parts = parts;
    this.#table = table;
  }

  async list(options: {
    all: boolean;
    limit: number;
    size: boolean;
    filters: Filters;
  }): Promise<ContainerSummary[]> {
    const { clock } = this.#parts;
    const networkId = this.#networkIds();
    const facts = this.#filterFacts();
    const showsAll = options.all || options.limit > 0 || impliesAll(options.filters);
    const sorted = this.#table
      .all()
      .sort((a, b) => Date.parse(b.definition.created) - Date.parse(a.definition.created))
      .filter(
        (container) =>
          (showsAll || container.isRunning) && passes(container, options.filters, facts),
      );
    const shown = options.limit > 0 ? sorted.slice(0, options.limit) : sorted;
    const sizes = options.size
      ? await this.#sizes(shown)
      : new Map<string, { rw: number; root: number }>();
    const now = clock().getTime();
    return shown.map((container) =>
      summarize(container, {
        networkId,
        now,
        imageName: this.#imageName(container),
        sizes: sizes.get(container.id),
      }),
    );
  }

  async inspect(container: Container, options: { size: boolean }): Promise<ContainerInspect> {
    const { places, snapshots } = this.#parts;
    const sizes = options.size ? await this.#sizes([container]) : undefined;
    return inspectContainer(container, {
      files: placesOf(places, container.id),
      lowers: this.#lowers(container, snapshots),
      networkId: this.#networkIds(),
      sizes: sizes?.get(container.id),
    });
  }

  async top(
    container: Container,
    psArgs: string,
  ): Promise<{ Titles: string[]; Processes: string[][] }> {
    const columns = parsePsArgs(psArgs);
    const { shim } = container;
    if (shim === undefined || !container.isLive) {
      throw new EngineError('conflict', `container ${container.id} is not running`);
    }
    const execs = [...container.execs.values()]
      .filter((exec) => exec.status === 'running')
      .map((exec) => exec.pid);
    const [processes, machine] = await Promise.all([
      containerProcesses(shim.pid, execs),
      machineFacts(Date.now()),
    ]);
    announce(this.#parts.events, container, 'top');
    return topTable(columns, processes, machine);
  }

  async stats(
    container: Container,
    options: { oneShot: boolean },
  ): Promise<Record<string, unknown>> {
    const identity = { id: container.id, name: container.name };
    const { shim } = container;
    if (shim === undefined || !container.isLive) return emptyStats(identity);
    const last = this.#samples.get(container);
    let before =
      last !== undefined && Date.now() - last.taken < SAMPLE_MAX_AGE_MS ? last.sample : undefined;
    if (before === undefined && !options.oneShot) {
      before = takeSample(await shim.stats(), this.#parts.clock());
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_PAUSE_MS));
      if (container.shim !== shim) return emptyStats(identity);
    }
    const stats: ShimStats = await shim.stats();
    const now = takeSample(stats, this.#parts.clock());
    this.#samples.set(container, { sample: now, taken: Date.now() });
    const body = statsBody(identity, stats, { now, before: options.oneShot ? undefined : before });
    return { ...body, ...(await interfaceStats(container)) };
  }

  async prune(
    filters: Filters,
    remove: (container: Container) => Promise<void>,
  ): Promise<{ ContainersDeleted: string[]; SpaceReclaimed: number }> {
    checkPruneFilters(filters);
    const until = untilTime(filters['until']?.[0], this.#parts.clock());
    const facts = this.#filterFacts();
    const doomed = this.#table
      .all()
      .filter((container) => !container.isRunning && passes(container, filters, facts))
      .filter(
        (container) => until === undefined || Date.parse(container.definition.created) < until,
      );
    const sizes = await this.#sizes(doomed);
    const deleted: Container[] = [];
    for (const container of doomed) {
      // One that started in the meantime stays.
      const isGone = await remove(container).then(
        () => true,
        (error: unknown) => !(error instanceof EngineError && error.kind === 'conflict'),
      );
      if (isGone) deleted.push(container);
    }
    return {
      ContainersDeleted: deleted.map((container) => container.id),
      SpaceReclaimed: deleted.reduce(
        (sum, container) => sum + (sizes.get(container.id)?.rw ?? 0),
        0,
      ),
    };
  }

  #lowers(container: Container, snapshots: ContainersParts['snapshots']): string[] {
    try {
      return snapshots.lowers(container.definition.chainId);
    } catch {
      return [];
    }
  }

  async #sizes(
    containers: readonly Container[],
  ): Promise<Map<string, { rw: number; root: number }>> {
    if (containers.length === 0) return new Map();
    const { native, places, images } = this.#parts;
    const dirs = containers.map((container) => placesOf(places, container.id).upper);
    const { bytes } = await native.call<{ bytes: number[] }>(['layer', 'usage'], { dirs });
    return new Map(
      containers.map((container, index) => {
        const rw = bytes[index] ?? 0;
        return [
          container.id,
          { rw, root: rw + (images.find(container.definition.imageId)?.size ?? 0) },
        ];
      }),
    );
  }

  /** The name it was made from while that still means the same image, else the id. */
  #imageName(container: Container): string {
    const { imageName, imageId } = container.definition;
    try {
      if (this.#parts.images.find(imageName)?.id === imageId) return imageName;
    } catch {
      // The name has become ambiguous.
    }
    return imageId;
  }

  /** Looks each name up once. */
  #networkIds(): IdOf {
    const known = new Map<string, string>();
    return (name) => {
      let id = known.get(name);
      if (id === undefined) {
        try {
          id = this.#parts.networks.find(name).id;
        } catch {
          id = '';
        }
        known.set(name, id);
      }
      return id;
    };
  }

  #filterFacts(): FilterFacts {
    const { images } = this.#parts;
    return {
      container: (reference) => this.#table.get(reference),
      imageId: (reference) => images.find(reference)?.id,
      networkId: this.#networkIds(),
      ancestry: (imageId) => {
        const chain: string[] = [];
        for (let id = imageId; id !== '' && !chain.includes(id); id = images.find(id)?.parent ?? '')
          chain.push(id);
        return chain;
      },
    };
  }
}

/** `10m`, `24h`, a date, or seconds since the epoch; milliseconds out. */
function untilTime(text: string | undefined, now: Date): number | undefined {
  if (text === undefined) return undefined;
  const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/([0-9]+)(s|m|h)/g)];
  if (parts.length > 0 && parts.map(([whole]) => whole).join('') === text) {
    return (
      now.getTime() -
      parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0)
    );
  }
  const time = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(time)) throw new EngineError('invalid', `invalid filter 'until=${text}'`);
  return time;
}
