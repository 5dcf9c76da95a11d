/** The wire types of `/pinnace/builds`: what the builder remembers of its builds, and what it would do with a Dockerfile. Shapes only. */

export type BuildStatus = 'running' | 'succeeded' | 'failed' | 'cancelled';

/** Why a build failed; `line` counts from 1 and is null when no line is to blame. */
export interface BuildFailure {
  message: string;
  line: number | null;
}

/** One entry of `GET /pinnace/builds`, the newest first. */
export interface BuildSummary {
  id: string;
  /** RFC 3339. */
  started: string;
  /** Milliseconds; of a running build up to now. */
  durationMs: number;
  status: BuildStatus;
  /** Absolute when the client told it (`pinnace.dockerfile`), else relative to the context. */
  dockerfile: string;
  /** The absolute folder on the client's machine, '' when the client did not tell it (`pinnace.context`). */
  context: string;
  /** A stage's name or number, '' for the last one. */
  target: string;
  tags: string[];
  /** Names of the build arguments that were given; values are never kept. */
  argNames: string[];
  platform: string;
  /** The id of the image that was made, '' when there is none. */
  image: string;
  error: BuildFailure | null;
  /** Steps of the plan, and how many of them came from the cache. */
  steps: number;
  cached: number;
}

/** What happened to a step. `pending`: not reached; `skipped`: the build ended before it. */
export type BuildStepOutcome =
  'pending' | 'running' | 'cached' | 'ran' | 'failed' | 'cancelled' | 'skipped';

/**
 * Why a step ran although there is a cache. `first`: nothing like it was built before; `no-cache`: asked for;
 * `base`: the base image is another one; `earlier-step`: the step before it gave another result;
 * `instruction`: its words, environment, user or folder changed; `files`: the files that it takes changed; `lost`: its result
 * was pruned.
 */
export type BuildReasonCode =
  'first' | 'no-cache' | 'base' | 'earlier-step' | 'instruction' | 'files' | 'lost';

export interface BuildReason {
  code: BuildReasonCode;
  /** A sentence for people. */
  text: string;
  /** The names of what changed: files, or variables. */
  changed: string[];
}

export interface BuildStep {
  /** Position in the record, from 0; names the step in `…/log?step=`. */
  index: number;
  /** As in "Step 3/7"; 0 for an ONBUILD trigger. */
  number: number;
  stage: number;
  stageName: string | null;
  /** The instruction in one line. */
  text: string;
  /** First and last line in the Dockerfile, from 1. */
  startLine: number;
  endLine: number;
  outcome: BuildStepOutcome;
  /** Null unless it ran. */
  reason: BuildReason | null;
  /** What the work took when it was done, also for a cached step. */
  ms: number;
  /** Bytes of the layer's files; 0 for a step that changes the configuration only. */
  size: number;
  /** The end of what it printed, at most 2 KiB. */
  logTail: string;
}

/** The answer of `GET /pinnace/builds/{id}`. */
export interface BuildRecord extends BuildSummary {
  stepList: BuildStep[];
}

/** The body of `POST /pinnace/builds/plan`. */
export interface BuildPlanRequest {
  /** The text of the Dockerfile. */
  dockerfile: string;
  /** Names as in `BuildSummary`: which earlier builds tell the size and time of steps. */
  path?: string;
  context?: string;
  buildArgs?: Record<string, string | null>;
  target?: string;
  platform?: string;
}

export interface BuildPlanStep {
  number: number;
  stage: number;
  text: string;
  startLine: number;
  endLine: number;
  /**
   * Whether a build now would take it from the cache. `if-unchanged`: yes, as long as the files of the context are those of
   * the last build. `unknown`: it cannot be told without the context or an image.
   */
  cached: 'yes' | 'no' | 'if-unchanged' | 'unknown';
  /** A sentence for people. */
  reason: string;
  /** Milliseconds and bytes of the last time that the step was done; null when unknown. */
  ms: number | null;
  size: number | null;
}

/** The answer of `POST /pinnace/builds/plan`. */
export interface BuildPlan {
  /** Empty when the Dockerfile cannot be planned; `problem` says why then. */
  steps: BuildPlanStep[];
  problem: string | null;
  /** Images that must be pulled before more can be told. */
  missingImages: string[];
}
