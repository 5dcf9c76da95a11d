/**
 * Runs a build graph: stages side by side, each step after what it needs, the first failure stopping the rest. Resolves
 * to the target's configuration; nothing is named or published here.
 */
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { HistoryEntry, ImageConfig } from '../../lib/image/config.ts';
import { shortId } from '../../lib/image/digest.ts';
import type { Image } from '../images/types.ts';
import type { Action, Graph, ImageSource, Source, StagePlan, Step } from './plan/graph.ts';
import { historyEntry } from './plan/history.ts';
import { baseKey, stepKey, type Key } from './keys.ts';
import type { BuildOutput, StageOutput } from './output.ts';
import { imageKey } from './plan/plan.ts';
import type { StepTrace } from './records/recorder.ts';
import { splitPlatform } from './plan/scope.ts';
import { fileStep, type BuildParts, type BuildRun, type Position } from './steps.ts';

/** A finished stage. */
export interface StageResult {
  readonly plan: StagePlan;
  readonly position: Position;
  readonly diffIds: readonly string[];
  readonly history: readonly HistoryEntry[];
  /** ISO 8601, of the last step or of the base. */
  readonly created: string | undefined;
  /** Key of the configuration. */
  readonly key: Key;
}

export interface ExecuteInput {
  readonly graph: Graph;
  /** By `imageKey`. */
  readonly images: ReadonlyMap<string, Image>;
  readonly output: BuildOutput;
  readonly parts: BuildParts;
  /** All of a build but what this file adds. */
  readonly run: Omit<BuildRun, 'chainOf' | 'signal'>;
  readonly signal: AbortSignal;
}

/** Builds every stage of the graph; when one fails the others are stopped and waited for. */
export async function executeGraph(input: ExecuteInput): Promise<StageResult> {
  const { graph, output } = input;
  const stopper = new AbortController();
  const signal = AbortSignal.any([input.signal, stopper.signal]);
  const results = new Map<number, Promise<StageResult>>();
  const started: Promise<StageResult>[] = [];
  const resultOf = (index: number): Promise<StageResult> => {
    const result = results.get(index);
    if (result === undefined)
      throw new EngineError('internal', `stage ${String(index)} is not in the build graph`);
    return result;
  };
  const run: BuildRun = {
    ...input.run,
    signal,
    chainOf: (source) => chainOf(source, { input, resultOf }),
  };
  let failed: { index: number; error: unknown } | undefined;
  for (const stage of graph.stages) {
    const out = output.stage(stage.index);
    const result = Promise.resolve().then(() => buildStage(stage, { input, run, out, resultOf }));
    const watched = result.then(
      (value) => {
        out.end();
        return value;
      },
      (error: unknown) => {
        failed ??= { index: stage.index, error };
        stopper.abort(error);
        throw error;
      },
    );
    watched.catch(() => undefined);
    results.set(stage.index, watched);
    started.push(watched);
  }
  await Promise.allSettled(started);
  if (failed !== undefined) {
    if (input.signal.aborted)
      throw new EngineError('cancelled', 'the build was cancelled', { cause: input.signal.reason });
    output.fail(failed.index);
    throw failed.error;
  }
  return resultOf(graph.target);
}

interface StageIo {
  readonly input: ExecuteInput;
  readonly run: BuildRun;
  readonly out: StageOutput;
  readonly resultOf: (index: number) => Promise<StageResult>;
}

async function chainOf(
  source: Exclude<Source, { kind: 'context' }>,
  { input, resultOf }: { input: ExecuteInput; resultOf: (index: number) => Promise<StageResult> },
): Promise<string | null> {
  if (source.kind === 'stage') return (await resultOf(source.index)).position.chainId;
  return imageOf(source, input).chainId;
}

function imageOf(source: ImageSource, { images }: ExecuteInput): Image {
  const image = images.get(imageKey(source));
  if (image === undefined)
    throw new EngineError('internal', `the image ${source.ref} was not fetched before the build`);
  return image;
}

/** Where a stage begins: its base's files, history and key. */
async function beginStage(
  stage: StagePlan,
  { input, resultOf }: StageIo,
): Promise<StageResult & { shown: string }> {
  const { base } = stage;
  if (base.kind === 'stage') {
    const parent = await resultOf(base.index);
    return { ...parent, plan: stage, shown: shortId(parent.key) };
  }
  const image = base.kind === 'image' ? imageOf(base, input) : undefined;
  const key = baseKey(image?.id ?? null);
  return {
    plan: stage,
    position: { fileKey: key, chainId: image?.chainId ?? null },
    diffIds: image?.config.rootfs.diff_ids ?? [],
    history: image?.config.history ?? [],
    created: image?.config.created,
    key,
    shown: image === undefined ? '' : shortId(image.id),
  };
}

async function buildStage(stage: StagePlan, io: StageIo): Promise<StageResult> {
  const { out } = io;
  const { shown, ...start } = await beginStage(stage, io);
  out.text(`Step ${String(stage.number)}/${String(io.input.graph.total)} : ${stage.text}\n`);
  if (shown !== '') out.text(` ---> ${shown}\n`);
  if (stage.triggers > 0)
    out.text(
      `# Executing ${String(stage.triggers)} build trigger${stage.triggers === 1 ? '' : 's'}\n`,
    );
  let at: StageResult = start;
  for (const step of stage.steps) at = await buildStep(step, at, io);
  return at;
}

async function buildStep(step: Step, at: StageResult, io: StageIo): Promise<StageResult> {
  const { input, run, out } = io;
  const { parts } = input;
  run.signal.throwIfAborted();
  const label =
    step.number === 0 ? 'Trigger' : `Step ${String(step.number)}/${String(input.graph.total)}`;
  out.text(`${label} : ${step.text}\n`);
  let { position, diffIds } = at;
  let created: string | undefined;
  const trace = run.trace.step(step);
  if (touchesFiles(step)) {
    const stepIo = { parts, run, out, trace };
    const result = await fileStep(step, position, stepIo).catch((error: unknown) => {
      trace.failed(error);
      throw locate(error, step, run.context.name);
    });
    if (result.position.chainId !== position.chainId)
      diffIds = [...diffIds, diffIdOf(result.position.chainId, parts)];
    ({ position, created } = result);
  }
  const key = stepKey(at.key, position.fileKey, step);
  created ??= metaCreated(step, { key, at, io, trace });
  out.text(` ---> ${shortId(key)}\n`);
  const emptyLayer = diffIds.length === at.diffIds.length;
  const entry = historyEntry(step.createdBy, { created, emptyLayer, author: step.author });
  return { plan: at.plan, position, diffIds, history: [...at.history, entry], created, key };
}

function touchesFiles(step: Step): step is Step & { action: Exclude<Action, { kind: 'meta' }> } {
  return step.action.kind !== 'meta';
}

function diffIdOf(chainId: string | null, { snapshots }: BuildParts): string {
  const snapshot = chainId === null ? undefined : snapshots.get(chainId);
  if (snapshot === undefined)
    throw new EngineError('internal', `the layer ${String(chainId)} of a finished step is gone`);
  return snapshot.diffId;
}

/** When a step that only changes the configuration was first made; so that a cached build gives the very same image. */
function metaCreated(
  step: Step,
  { key, at, io, trace }: { key: Key; at: StageResult; io: StageIo; trace: StepTrace },
): string {
  const { cache, now } = io.input.parts;
  trace.keyed(key, at.key, null);
  const row = io.run.noCache ? undefined : cache.get(key);
  if (row !== undefined) {
    io.out.text(' ---> Using cache\n');
    cache.touch(key);
    trace.cached(row);
    return row.created;
  }
  trace.missed();
  const created = new Date(now()).toISOString();
  const config = JSON.stringify({ text: step.text, createdBy: step.createdBy, line: step.line });
  const made = {
    key,
    parentKey: at.key,
    chainId: at.position.chainId,
    config,
    size: 0,
    ms: 0,
    log: '',
    created,
  };
  cache.put(made);
  trace.ran(made);
  return created;
}

/** The error with the place in the Dockerfile that it is about. */
function locate(error: unknown, step: Step, file: string): unknown {
  const kind = kindOf(error);
  if (kind === 'cancelled') return error;
  return new EngineError(kind, `${messageOf(error)}\n${file}:${String(step.line)}: ${step.text}`, {
    cause: error,
  });
}

/** The image configuration of a finished stage. */
export function imageConfig(result: StageResult): ImageConfig {
  const { plan, diffIds, history, created } = result;
  const { os, architecture, variant } = splitPlatform(plan.platform);
  return {
    ...(created === undefined ? {} : { created }),
    ...(plan.author === undefined ? {} : { author: plan.author }),
    architecture,
    os,
    ...(variant === '' ? {} : { variant }),
    config: plan.config,
    rootfs: { type: 'layers', diff_ids: [...diffIds] },
    history: [...history],
  };
}
