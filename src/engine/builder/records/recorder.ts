/**
 * The engine's memory of builds: one trace for each build under way, which becomes a record when the build ends. It watches
 * and never decides: a build's result is the same without it.
 */
import type { BuildRecord, BuildStatus, BuildStep, BuildSummary } from '../../../lib/api/builds.ts';
import { EngineError, kindOf, messageOf } from '../../../lib/errors.ts';
import type { Database } from '../../storage/types.ts';
import type { CacheRow } from '../cache.ts';
import type { Key } from '../keys.ts';
import type { Graph, Step } from '../plan/graph.ts';
import type { BuildOptions } from '../types.ts';
import { explain } from './reasons.ts';
import type { StepInputs } from './reasons.ts';
import { RecordTable } from './table.ts';
import type { StoredStep } from './table.ts';

/** Characters of a step's log that are kept; the beginning goes. */
const LOG_LIMIT = 128 * 1024;
const TAIL_LIMIT = 2048;
/** A failure's message is cut here. */
const MAX_MESSAGE = 16 * 1024;

/** What the steps of a build tell. */
export interface StepTrace {
  /** Its key is known: it may be in the cache or not. */
  keyed(key: Key, parentKey: Key, inputs: StepInputs | null): void;
  cached(row: CacheRow): void;
  /** It is not in the cache. */
  missed(): void;
  print(text: string): void;
  ran(row: CacheRow): void;
  failed(error: unknown): void;
}

export interface BuildTrace {
  planned(graph: Graph): void;
  step(step: Step): StepTrace;
  finish(result: { readonly image: string } | { readonly error: unknown }): void;
}

export interface BuildRecords {
  begin(id: string, options: BuildOptions, platform: string): BuildTrace;
  list(): BuildSummary[];
  /** Throws not-found. */
  get(id: string): BuildRecord;
  /** `step`: the index; without it all steps' logs, one after the other. */
  log(id: string, step: number | undefined): string;
  /** Throws conflict while the build runs. */
  forget(id: string): void;
  /** The steps of the newest build of the same Dockerfile. */
  latest(source: { path: string; context: string; target: string }): readonly StoredStep[];
}

/** `now` gives milliseconds since the epoch. */
export function openRecords(
  database: Database,
  { now, warn }: { now: () => number; warn: (message: string) => void },
): BuildRecords {
  const table = new RecordTable(database);
  const running = new Map<string, Trace>();
  const missing = (id: string): EngineError =>
    new EngineError('not-found', `No such build: ${id.slice(0, 100)}`);
  return {
    begin(id, options, platform) {
      const trace = new Trace({ id, options, platform, table, now });
      trace.onEnd = () => {
        running.delete(id);
        try {
          table.add(trace.stored());
        } catch (error) {
          warn(`the build ${id} is not remembered: ${messageOf(error)}`);
        }
      };
      running.set(id, trace);
      return trace;
    },
    list: () => [
      ...[...running.values()].map((trace) => trace.summary()).reverse(),
      ...table.summaries(),
    ],
    get(id) {
      const live = running.get(id);
      if (live !== undefined) return { ...live.summary(), stepList: live.steps.map(publicStep) };
      const stored = table.get(id);
      if (stored === undefined) throw missing(id);
      return { ...stored.summary, stepList: stored.steps.map(publicStep) };
    },
    log(id, step) {
      const logs = running.get(id)?.logs ?? table.logs(id);
      if (logs === undefined) throw missing(id);
      if (step === undefined) return logs.join('');
      const log = logs[step];
      if (log === undefined)
        throw new EngineError('not-found', `the build ${id} has no step ${String(step)}`);
      return log;
    },
    forget(id) {
      if (running.has(id))
        throw new EngineError('conflict', `the build ${id} is under way: cancel it first`);
      if (!table.remove(id)) throw missing(id);
    },
    latest: ({ path, context, target }) =>
      table.latest(originOf({ dockerfile: path, context, target, tags: [] })) ??
      table.latest(originOf({ dockerfile: path, context, target: '', tags: [] })) ??
      [],
  };
}

/** Builds of the same Dockerfile in the same folder; without a folder the tags must say it. */
function originOf(of: {
  dockerfile: string;
  context: string;
  target: string;
  tags: readonly string[];
}): string {
  const { dockerfile, context, target } = of;
  return JSON.stringify(
    context === '' && !dockerfile.startsWith('/')
      ? [dockerfile, target, ...of.tags]
      : [dockerfile, context, target],
  );
}

interface TraceParts {
  readonly id: string;
  readonly options: BuildOptions;
  readonly platform: string;
  readonly table: RecordTable;
  readonly now: () => number;
}

/** Holds what is known of one build so far. */
class Trace implements BuildTrace {
  steps: StoredStep[] = [];
  logs: string[] = [];
  onEnd: () => void = () => undefined;
  readonly #parts: TraceParts;
  readonly #started: number;
  readonly #origin: string;
  readonly #at = new Map<Step, number>();
  /** Position of a step among those of its stage. */
  readonly #places = new Map<number, number>();
  #before: readonly StoredStep[] | undefined;
  #status: BuildStatus = 'running';
  #ended = 0;
  #image = '';
  #error: BuildSummary['error'] = null;

  constructor(parts: TraceParts) {
    this.#parts = parts;
    this.#started = parts.now();
    const { options } = parts;
    this.#origin = originOf({
      dockerfile: this.#dockerfile,
      context: options.recordContext ?? '',
      target: options.target,
      tags: options.tags,
    });
  }

  get #dockerfile(): string {
    const { recordDockerfile, dockerfile } = this.#parts.options;
    return recordDockerfile ?? (dockerfile === '' ? 'Dockerfile' : dockerfile);
  }

  planned(graph: Graph): void {
    this.#before = this.#parts.table.latest(this.#origin);
    for (const stage of graph.stages) {
      for (const [place, step] of stage.steps.entries()) {
        const index = this.steps.length;
        this.#at.set(step, index);
        this.#places.set(index, place);
        this.logs.push('');
        this.steps.push({
          index,
          number: step.number,
          stage: stage.index,
          stageName: stage.name ?? null,
          text: step.text,
          startLine: step.line,
          endLine: step.endLine,
          outcome: 'pending',
          reason: null,
          ms: 0,
          size: 0,
          logTail: '',
          key: '',
          parentKey: '',
          inputs: null,
        });
      }
    }
  }

  step(step: Step): StepTrace {
    const index = this.#at.get(step);
    if (index === undefined)
      throw new EngineError('internal', 'a step that was not planned is recorded');
    const change = (facts: Partial<StoredStep>): void => {
      const old = this.steps[index];
      if (old !== undefined) this.steps[index] = { ...old, ...facts };
    };
    const keep = (text: string): void => {
      const log = ((this.logs[index] ?? '') + text).slice(-LOG_LIMIT);
      this.logs[index] = log;
    };
    const done = (row: CacheRow, outcome: 'cached' | 'ran'): void => {
      if (this.logs[index] === '') keep(row.log);
      change({ outcome, ms: row.ms, size: row.size, logTail: tailOf(this.logs[index]) });
    };
    return {
      keyed: (key, parentKey, inputs) => change({ key, parentKey, inputs }),
      missed: () => change({ outcome: 'running', reason: this.#reason(index) }),
      cached: (row) => done(row, 'cached'),
      ran: (row) => done(row, 'ran'),
      print: keep,
      failed: (error) => {
        const cancelled = kindOf(error) === 'cancelled';
        change({
          outcome: cancelled ? 'cancelled' : 'failed',
          logTail: tailOf(this.logs[index]),
        });
        if (!cancelled) this.#error ??= { message: clip(error), line: step.line };
      },
    };
  }

  finish(result: { readonly image: string } | { readonly error: unknown }): void {
    this.#ended = this.#parts.now();
    if ('image' in result) {
      this.#status = 'succeeded';
      this.#image = result.image;
    } else {
      this.#status = kindOf(result.error) === 'cancelled' ? 'cancelled' : 'failed';
      const message = clip(result.error);
      const line = /\bon line (\d+):/.exec(message)?.[1];
      this.#error ??= { message, line: line === undefined ? null : Number(line) };
    }
    this.steps = this.steps.map((step) => ({ ...step, outcome: settled(step.outcome) }));
    this.onEnd();
  }

  summary(): BuildSummary {
    const { id, options, platform, now } = this.#parts;
    return {
      id,
      started: new Date(this.#started).toISOString(),
      durationMs: Math.max(0, (this.#status === 'running' ? now() : this.#ended) - this.#started),
      status: this.#status,
      dockerfile: this.#dockerfile,
      context: options.recordContext ?? '',
      target: options.target,
      tags: [...options.tags],
      argNames: Object.keys(options.buildArgs),
      platform,
      image: this.#image,
      error: this.#error,
      steps: this.steps.length,
      cached: this.steps.filter(({ outcome }) => outcome === 'cached').length,
    };
  }

  stored() {
    const { steps, logs } = this;
    return { summary: this.summary(), origin: this.#origin, steps, logs };
  }

  #reason(index: number): BuildStep['reason'] {
    const step = this.steps[index];
    if (step === undefined) return null;
    const place = this.#places.get(index) ?? 0;
    const { noCache } = this.#parts.options;
    return explain({ ...step, noCache, isFirst: place === 0 }, this.#before, place);
  }
}

/** What a step is once its build is over. */
function settled(outcome: BuildStep['outcome']): BuildStep['outcome'] {
  if (outcome === 'pending') return 'skipped';
  return outcome === 'running' ? 'cancelled' : outcome;
}

/** Without what only the engine compares. */
function publicStep(step: StoredStep): BuildStep {
  const { index, number, stage, stageName, text, startLine, endLine } = step;
  const { outcome, reason, ms, size, logTail } = step;
  const place = { index, number, stage, stageName, text, startLine, endLine };
  return { ...place, outcome, reason, ms, size, logTail };
}

function tailOf(log: string | undefined): string {
  return (log ?? '').slice(-TAIL_LIMIT);
}

function clip(error: unknown): string {
  return messageOf(error).slice(0, MAX_MESSAGE);
}
