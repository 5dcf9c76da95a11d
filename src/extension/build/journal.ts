/**
 * The builds that can be looked at: those of this window, and those that the engine remembers. One list, the newest first; it
 * asks the engine only when it is looked at or after a build. Knows no editor.
 */
import { forgetBuild, listBuilds, readBuild, readBuildLog } from '../../client/build/records.ts';
import type { BuildRecord, BuildSummary } from '../../lib/api/builds.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Engines, Listener } from '../engine/engines.ts';
import type { BuildRequest } from './request.ts';
import type { RunningBuild } from './run.ts';

/** Where a build stands in the list. */
export interface BuildEntry {
  /** Stable while the list lives: the window's own id, also once the engine's record has come. */
  readonly key: string;
  readonly summary: BuildSummary;
  /** Set for builds of this window: they can be run again as they were. */
  readonly request: BuildRequest | undefined;
}

/** More of the window's own builds are forgotten. */
const OWN_LIMIT = 50;

export class BuildJournal {
  private readonly engines: Engines;
  private readonly own = new Map<string, { build: RunningBuild; abort: AbortController }>();
  private readonly listeners = new Set<() => void>();
  private kept: readonly BuildSummary[] = [];
  private asking: Promise<void> | undefined;

  constructor(engines: Engines) {
    this.engines = engines;
  }

  onDidChange(listener: () => void): Listener {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  }

  /** The newest first. */
  entries(): readonly BuildEntry[] {
    const known = new Set([...this.own.values()].map(({ build }) => build.record.id));
    const own = [...this.own].map(([key, { build }]): BuildEntry => {
      return { key, summary: build.record, request: build.request };
    });
    const others = this.kept.filter(({ id }) => !known.has(id));
    const rest = others.map((summary): BuildEntry => ({
      key: summary.id,
      summary,
      request: undefined,
    }));
    return [...own, ...rest].sort(
      (a, b) => Date.parse(b.summary.started) - Date.parse(a.summary.started),
    );
  }

  entry(key: string): BuildEntry | undefined {
    return this.entries().find((entry) => entry.key === key);
  }

  /** A build of this window began or went on. */
  note(key: string, build: RunningBuild, abort: AbortController): void {
    const before = this.own.get(key)?.build.record;
    this.own.set(key, { build, abort });
    for (const [oldest, { build: old }] of this.own) {
      if (this.own.size <= OWN_LIMIT) break;
      if (old.record.status !== 'running') this.own.delete(oldest);
    }
    const { status, stepList } = build.record;
    const isNews = before?.status !== status || before.stepList.length !== stepList.length;
    if (isNews) this.changed();
  }

  cancel(key: string): void {
    this.own.get(key)?.abort.abort();
  }

  /** With its steps; throws not-found. */
  async record(key: string): Promise<BuildRecord> {
    const own = this.own.get(key);
    if (own !== undefined) return own.build.record;
    return readBuild(this.engines.active.client.transport, key);
  }

  /** What a step printed; '' where nothing is known any more. `undefined`: before the first step. */
  async log(key: string, step: number | undefined): Promise<string> {
    const own = this.own.get(key)?.build;
    if (own !== undefined) return own.logOf(step);
    if (step === undefined) return '';
    try {
      return await readBuildLog(this.engines.active.client.transport, { id: key, step });
    } catch (error) {
      if (kindOf(error) === 'not-found') return '';
      throw error;
    }
  }

  /** Throws conflict for a build that runs. */
  async forget(key: string): Promise<void> {
    const entry = this.entry(key);
    if (entry === undefined) return;
    if (entry.summary.status === 'running') {
      throw new EngineError('conflict', 'The build is running; cancel it first.');
    }
    const { id } = entry.summary;
    if (this.kept.some((summary) => summary.id === id))
      await forgetBuild(this.engines.active.client.transport, id);
    this.own.delete(key);
    this.kept = this.kept.filter((summary) => summary.id !== id);
    this.changed();
  }

  /** Asks the active engine again; one that keeps no records has none. */
  refresh(): Promise<void> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async ask(): Promise<void> {
    const { active } = this.engines;
    const isThere = active.state.kind === 'ready' && active.has('pinnace');
    const kept = isThere ? await askFor(active.client.transport) : [];
    if (JSON.stringify(kept) === JSON.stringify(this.kept)) return;
    this.kept = kept;
    this.changed();
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

async function askFor(
  transport: Parameters<typeof listBuilds>[0],
): Promise<readonly BuildSummary[]> {
  try {
    return await listBuilds(transport, { signal: AbortSignal.timeout(5000) });
  } catch (error) {
    // An older engine: it keeps no records. One that cannot be reached shows so elsewhere.
    if (['not-found', 'not-implemented', 'unavailable', 'cancelled'].includes(kindOf(error)))
      return [];
    throw error;
  }
}
