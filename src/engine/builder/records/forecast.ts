/**
 * What a build would take from the cache, told before there is a build: the plan is made of what is here, keys are computed
 * as far as they do not need the context, and the last build's files stand in for the context's. It runs and fetches nothing.
 */
import type { BuildPlan, BuildPlanRequest, BuildPlanStep } from '../../../lib/api/builds.ts';
import { parseDockerfile } from '../../../lib/dockerfile/parse.ts';
import { kindOf } from '../../../lib/errors.ts';
import {
  formatPlatform,
  parsePlatform,
  platformMatches,
  platformOf,
} from '../../../lib/image/platform.ts';
import type { Image, ImageStore } from '../../images/types.ts';
import type { SnapshotStore } from '../../storage/types.ts';
import type { BuildCache } from '../cache.ts';
import { copySelection, mountSelection } from '../files.ts';
import type { HashEntry, Selection } from '../files.ts';
import { baseKey, copyKey, runKey, stepKey, workdirKey } from '../keys.ts';
import type { Key } from '../keys.ts';
import type { Graph, ImageWant, Source, StagePlan, Step } from '../plan/graph.ts';
import { imageKey, planBuild, problemMessage } from '../plan/plan.ts';
import type { BaseImage } from '../plan/plan.ts';
import { contentKey } from '../step-keys.ts';
import { fits } from '../steps.ts';
import { findTwin } from './reasons.ts';
import type { BuildRecords } from './recorder.ts';
import type { StoredStep } from './table.ts';

export interface ForecastParts {
  readonly cache: BuildCache;
  readonly records: Pick<BuildRecords, 'latest'>;
  readonly images: Pick<ImageStore, 'find'>;
  readonly snapshots: SnapshotStore;
}

/** Rounds of planning: images that ONBUILD triggers ask for come one after the other. */
const MAX_ROUNDS = 20;

export function forecast(request: BuildPlanRequest, parts: ForecastParts): BuildPlan {
  const planned = plan(request, parts);
  if (typeof planned === 'string') return { steps: [], problem: planned, missingImages: [] };
  const { graph, images } = planned;
  const before = parts.records.latest({
    path: request.path ?? 'Dockerfile',
    context: request.context ?? '',
    target: request.target ?? '',
  });
  const walk = new Walk(parts, images, before);
  for (const stage of graph.stages) walk.stage(stage);
  return { steps: walk.steps, problem: null, missingImages: planned.missing };
}

interface Planned {
  readonly graph: Graph;
  readonly images: ReadonlyMap<string, Image | undefined>;
  readonly missing: string[];
}

function plan(request: BuildPlanRequest, parts: ForecastParts): Planned | string {
  const machine = platformOf(process.arch);
  const file = parseDockerfile(request.dockerfile);
  const images = new Map<string, Image | undefined>();
  const bases = new Map<string, BaseImage>();
  const asked = request.platform ?? '';
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const made = planBuild({
      file,
      buildArgs: request.buildArgs ?? {},
      labels: {},
      target: request.target ?? '',
      buildPlatform: formatPlatform(machine),
      targetPlatform: asked === '' ? '' : formatPlatform(parsePlatform(asked, machine)),
      network: 'default',
      images: bases,
    });
    if (made.kind === 'invalid') return problemMessage(made.problems);
    if (made.kind === 'no-target') return made.message;
    if (made.kind === 'graph') {
      const missing = [...images].filter(([, image]) => image === undefined);
      const names = missing.map(([key]) => key.slice(0, key.lastIndexOf(' ')));
      return { graph: made.graph, images, missing: [...new Set(names)] };
    }
    for (const want of made.images) {
      const image = local(want, parts);
      images.set(imageKey(want), image);
      bases.set(imageKey(want), {
        config: image?.config.config ?? {},
        author: image?.config.author,
        platform: image === undefined ? want.platform : formatPlatform(image.config),
      });
    }
  }
  return 'the images that it needs lead to further images without end';
}

function local(want: ImageWant, { images }: ForecastParts): Image | undefined {
  try {
    const image = images.find(want.ref);
    const platform = parsePlatform(want.platform, platformOf(process.arch));
    return image !== undefined && platformMatches(platform, image.config) ? image : undefined;
  } catch (error) {
    if (kindOf(error) === 'invalid') return undefined;
    throw error;
  }
}

/** How far the keys of a stage can be trusted. */
type Trust = 'sure' | 'if-unchanged' | 'unknown' | 'no';

interface At {
  readonly fileKey: Key;
  readonly stepKey: Key;
  readonly chainId: string | null;
  readonly trust: Trust;
  readonly why: string;
}

class Walk {
  readonly steps: BuildPlanStep[] = [];
  readonly #parts: ForecastParts;
  readonly #images: ReadonlyMap<string, Image | undefined>;
  readonly #before: readonly StoredStep[];
  readonly #ends = new Map<number, At>();

  constructor(
    parts: ForecastParts,
    images: ReadonlyMap<string, Image | undefined>,
    before: readonly StoredStep[],
  ) {
    this.#parts = parts;
    this.#images = images;
    this.#before = before;
  }

  stage(stage: StagePlan): void {
    let at = this.#begin(stage);
    for (const [place, step] of stage.steps.entries()) {
      const twin = findTwin(
        { stage: stage.index, stageName: stage.name ?? null, text: step.text },
        this.#before,
        place,
      );
      const next = step.action.kind === 'meta' ? this.#meta(step, at) : this.#file(step, at, twin);
      const known = next.row ?? (twin?.text === step.text && twin.key !== '' ? twin : undefined);
      this.steps.push({
        number: step.number,
        stage: stage.index,
        text: step.text,
        startLine: step.line,
        endLine: step.endLine,
        cached: next.cached,
        reason: next.reason,
        ms: known?.ms ?? null,
        size: known?.size ?? null,
      });
      at = next.at;
    }
    this.#ends.set(stage.index, at);
  }

  #begin({ base }: StagePlan): At {
    if (base.kind === 'stage') {
      const end = this.#ends.get(base.index);
      if (end !== undefined) return end;
    }
    const image = base.kind === 'image' ? this.#images.get(imageKey(base)) : undefined;
    const key = baseKey(image?.id ?? null);
    const absent = base.kind !== 'scratch' && image === undefined;
    const name = base.kind === 'image' ? base.ref : '';
    return {
      fileKey: key,
      stepKey: key,
      chainId: image?.chainId ?? null,
      trust: absent ? 'unknown' : 'sure',
      why: absent ? `the image ${name} is not here yet` : '',
    };
  }

  #meta(step: Step, at: At) {
    const key = stepKey(at.stepKey, at.fileKey, step);
    const row = at.trust === 'unknown' ? undefined : this.#parts.cache.get(key);
    const reason = 'it changes the configuration only and costs nothing';
    const cached = row === undefined ? (at.trust === 'unknown' ? 'unknown' : 'no') : told(at.trust);
    return { at: { ...at, stepKey: key }, row, cached, reason } as const;
  }

  #file(step: Step, at: At, twin: StoredStep | undefined) {
    const stop = (trust: Trust, why: string, cached: BuildPlanStep['cached']) =>
      ({ at: { ...at, trust, why }, row: undefined, cached, reason: why }) as const;
    if (at.trust === 'unknown') return stop('unknown', at.why, 'unknown');
    if (at.trust === 'no') return stop('no', 'a step before it runs again', 'no');
    const found = this.#key(step, at, twin);
    if (found === undefined)
      return stop('unknown', 'it depends on files that are not known here', 'unknown');
    const row = this.#parts.cache.get(found.key);
    if (row === undefined || !fits(row, at, this.#parts.snapshots)) {
      const seen = twin?.text === step.text ? 'its inputs changed' : 'it is new or was changed';
      return stop('no', row === undefined ? seen : 'its result was removed', 'no');
    }
    const trust = found.assumes || at.trust === 'if-unchanged' ? 'if-unchanged' : 'sure';
    const reason =
      trust === 'sure'
        ? 'its result is in the cache'
        : 'its result is in the cache, as long as the files of the context did not change';
    const stepAfter = stepKey(at.stepKey, row.key, step);
    return {
      at: { fileKey: row.key, stepKey: stepAfter, chainId: row.chainId, trust, why: '' },
      row,
      cached: told(trust),
      reason,
    } as const;
  }

  /** The key, and whether it stands on the files of an earlier build. */
  #key(
    step: Step,
    at: At,
    twin: StoredStep | undefined,
  ): { key: Key; assumes: boolean } | undefined {
    const { action } = step;
    if (action.kind === 'meta') return undefined;
    if (action.kind === 'workdir') return { key: workdirKey(at.fileKey, action), assumes: false };
    const earlier = twin?.text === step.text ? twin.inputs?.content : undefined;
    if (action.kind === 'copy') {
      if (action.patterns.length === 0)
        return { key: copyKey(at.fileKey, action, []), assumes: false };
      const content = this.#content(action.source, copySelection(action), earlier?.[0]);
      if (content === undefined) return undefined;
      return { key: copyKey(at.fileKey, action, content.entries), assumes: content.assumes };
    }
    let assumes = false;
    const mounts = [];
    for (const [index, mount] of action.mounts.entries()) {
      if (mount.type !== 'bind') {
        mounts.push({ mount, content: null });
        continue;
      }
      const content = this.#content(mount.source, mountSelection(mount.path), earlier?.[index]);
      if (content === undefined) return undefined;
      assumes ||= content.assumes;
      mounts.push({ mount, content: content.entries });
    }
    return { key: runKey(at.fileKey, action, mounts), assumes };
  }

  #content(
    source: Source,
    selection: Selection,
    earlier: readonly HashEntry[] | undefined,
  ): { entries: readonly HashEntry[]; assumes: boolean } | undefined {
    if (source.kind === 'context')
      return earlier === undefined ? undefined : { entries: earlier, assumes: true };
    const end = source.kind === 'stage' ? this.#ends.get(source.index) : undefined;
    const image = source.kind === 'image' ? this.#images.get(imageKey(source)) : undefined;
    if (source.kind === 'stage' && (end === undefined || end.trust === 'unknown')) return undefined;
    // The stage runs again: what it makes may well be the same, so nothing is known.
    if (end?.trust === 'no') return undefined;
    const chain = source.kind === 'stage' ? end?.chainId : image?.chainId;
    if (chain === undefined || chain === null) return undefined;
    const known = this.#parts.cache.content(contentKey(chain, selection));
    if (known === undefined) return undefined;
    return {
      entries: JSON.parse(known) as HashEntry[],
      assumes: end?.trust === 'if-unchanged',
    };
  }
}

function told(trust: Trust): BuildPlanStep['cached'] {
  return trust === 'if-unchanged' ? 'if-unchanged' : 'yes';
}
