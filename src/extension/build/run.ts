/**
 * Runs one build on an engine and keeps its record true while it runs. Cancelling ends the request, which the engine takes as
 * the end of the build; nothing is left of it. Knows no editor.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { openBuildContext } from '../../client/build/context.ts';
import { type Advance, BuildProgress } from '../../client/build/progress.ts';
import { listBuilds, readBuild } from '../../client/build/records.ts';
import type { Client } from '../../client/api/client.ts';
import type { BuildRecord, BuildStep } from '../../lib/api/builds.ts';
import { kindOf, messageOf } from '../../lib/errors.ts';
import type { BuildRequest } from './request.ts';

export interface RunningBuild {
  readonly request: BuildRequest;
  /** Replaced, never changed in place. */
  readonly record: BuildRecord;
  /** All that was printed so far, of a step or before the first one. */
  logOf(step: number | undefined): string;
}

export interface RunParts {
  readonly id: string;
  readonly client: Client;
  /** The engine keeps records of builds. */
  readonly hasRecords: boolean;
  readonly request: BuildRequest;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onAdvance: (build: RunningBuild, changes: readonly Advance[]) => void;
}

/** A record's clock and ours are one machine's or nearly so; milliseconds. */
const CLOCK_SLACK = 5000;

/** How long an ended build waits for the engine's record of it, in milliseconds. */
const RECORD_PATIENCE = 5000;

/** Builds to the end; the record says how it ended. Never rejects: what went wrong is the record's error. */
export async function runBuild(parts: RunParts): Promise<RunningBuild> {
  const { request, signal, now, onAdvance } = parts;
  const started = now();
  let progress = new BuildProgress({ dockerfile: '', now });
  let record = emptyRecord(parts, started);
  const view = (): RunningBuild => {
    const { before } = progress;
    const streamed = progress;
    const logOf = (step: number | undefined): string =>
      step === undefined ? before : streamed.logOf(step);
    return { request, record, logOf };
  };
  const update = (changes: readonly Advance[], more: Partial<BuildRecord> = {}): void => {
    record = {
      ...record,
      ...progress.counts(),
      stepList: progress.steps.map((step) => ({ ...step })),
      durationMs: Math.round(now() - started),
      ...more,
    };
    onAdvance(view(), changes);
  };
  onAdvance(view(), []);
  try {
    const text = await readFile(request.dockerfile, 'utf8');
    progress = new BuildProgress({ dockerfile: text, now });
    for await (const message of send(parts)) update(progress.take(message));
    update(progress.end('succeeded'), { status: 'succeeded', image: progress.image });
  } catch (error) {
    const status = signal.aborted || kindOf(error) === 'cancelled' ? 'cancelled' : 'failed';
    const changes = progress.end(status);
    const line = progress.steps.findLast(({ outcome }) => outcome === 'failed')?.startLine;
    const message = messageOf(error);
    const failure = { message, line: line ?? lineIn(message) ?? null };
    update(changes, { status, error: status === 'failed' ? failure : null });
  }
  if (parts.hasRecords) {
    const kept = await recordOf(parts, started);
    if (kept !== undefined) {
      record = { ...kept, ...progress.counts(), stepList: merged(record.stepList, kept.stepList) };
      onAdvance(view(), []);
    }
  }
  return view();
}

async function* send({ client, request, signal }: RunParts): ReturnType<Client['images']['build']> {
  const { context, dockerfile, tags, args, target, platform, noCache, pull } = request;
  signal.throwIfAborted();
  const { tar, dockerfile: inside } = await openBuildContext(context, dockerfile, signal);
  const query = {
    dockerfile: inside,
    tags,
    buildArgs: args,
    noCache,
    pull,
    recordContext: context,
    recordDockerfile: dockerfile,
    ...(target === '' ? {} : { target }),
    ...(platform === '' ? {} : { platform }),
  };
  try {
    yield* client.images.build(tar, query, { signal });
  } finally {
    tar.destroy();
  }
}

/** The engine's own record of the build that has just ended: it has reasons, sizes and the times of parallel stages. */
async function recordOf(
  { client, request }: RunParts,
  started: number,
): Promise<BuildRecord | undefined> {
  const signal = AbortSignal.timeout(RECORD_PATIENCE);
  try {
    for (;;) {
      const list = await listBuilds(client.transport, { signal });
      const own = list.find(
        (build) =>
          build.dockerfile === request.dockerfile &&
          build.context === request.context &&
          build.target === request.target &&
          Date.parse(build.started) >= started - CLOCK_SLACK,
      );
      if (own === undefined) return undefined;
      if (own.status !== 'running') return await readBuild(client.transport, own.id, { signal });
      // A cancelled build is still being undone.
      await delay(100, undefined, { signal });
    }
  } catch {
    return undefined; // An engine that keeps none, or is gone: what the stream told stands.
  }
}

/** The stream's steps, which are all, with what only the engine's record has of those that touch files. */
function merged(streamed: readonly BuildStep[], kept: readonly BuildStep[]): BuildStep[] {
  const known = new Map(kept.filter(({ number }) => number > 0).map((step) => [step.number, step]));
  return streamed.map((step) => {
    const more = known.get(step.number);
    if (more === undefined) return step;
    const { outcome, reason, ms, size, startLine, endLine } = more;
    const isOver = step.outcome === 'failed' || outcome === 'pending' || outcome === 'running';
    return {
      ...step,
      reason,
      ms,
      size,
      startLine,
      endLine,
      outcome: isOver ? step.outcome : outcome,
    };
  });
}

function emptyRecord({ id, request }: RunParts, started: number): BuildRecord {
  const { dockerfile, context, target, tags, args, platform } = request;
  return {
    id,
    started: new Date(started).toISOString(),
    durationMs: 0,
    status: 'running',
    dockerfile,
    context,
    target,
    tags: [...tags],
    argNames: Object.keys(args),
    platform,
    image: '',
    error: null,
    steps: 0,
    cached: 0,
    stepList: [],
  };
}

/** `dockerfile parse error on line 3: …`, the words of all engines. */
function lineIn(message: string): number | undefined {
  const found = /\bline (\d{1,6})\b/i.exec(message)?.[1];
  return found === undefined ? undefined : Number(found);
}
