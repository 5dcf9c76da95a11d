/**
 * The build graph as data: which stages are needed, and their steps with every word resolved. It is what plan.ts
 * makes and execute.ts runs; nothing here reads a file, a clock or a database.
 */
import type { RunConfig } from '../../../lib/image/config.ts';

/** An image that the build needs; `platform` is `os/arch[/variant]`. */
export interface ImageWant {
  readonly ref: string;
  readonly platform: string;
}

/** Where a stage begins. */
export type Base = { readonly kind: 'scratch' } | StageSource | ImageSource;

/** Where COPY, ADD and bind mounts take their files from. */
export type Source = { readonly kind: 'context' } | StageSource | ImageSource;

export interface StageSource {
  readonly kind: 'stage';
  readonly index: number;
}

export interface ImageSource extends ImageWant {
  readonly kind: 'image';
}

/** A file whose content stands in the Dockerfile (a heredoc). */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
}

export type RunMount =
  | {
      readonly type: 'cache';
      readonly id: string;
      readonly target: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly readonly: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly size: number | undefined }
  | {
      readonly type: 'bind';
      readonly source: Source;
      /** Below the source's root. */
      readonly path: string;
      readonly target: string;
      readonly readonly: boolean;
    };

export interface RunAction {
  readonly kind: 'run';
  readonly args: readonly string[];
  /** ENV and ARG values in force; part of the cache key. */
  readonly env: readonly string[];
  /** Predefined proxy arguments: given to the process, never part of a key or of the history. */
  readonly proxyEnv: readonly string[];
  readonly cwd: string;
  /** `user[:group]`; '' is root. */
  readonly user: string;
  readonly network: 'default' | 'none' | 'host';
  readonly mounts: readonly RunMount[];
  /** A heredoc with a shebang: a file that is shown read-only at `/dev/pipes/<name>`. */
  readonly script: InlineFile | undefined;
}

export interface CopyAction {
  readonly kind: 'copy';
  readonly verb: 'COPY' | 'ADD';
  readonly source: Source;
  readonly patterns: readonly string[];
  readonly files: readonly InlineFile[];
  /** Absolute, without a trailing slash. */
  readonly dest: string;
  readonly destIsDir: boolean;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly unpack: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
}

export interface WorkdirAction {
  readonly kind: 'workdir';
  readonly path: string;
  readonly owner: string | undefined;
}

/** Changes the configuration only. */
export interface MetaAction {
  readonly kind: 'meta';
}

export type Action = RunAction | CopyAction | WorkdirAction | MetaAction;

export interface Step {
  /** 1 … total; 0 for an ONBUILD trigger of the base. */
  readonly number: number;
  /** The instruction as written, in one line. */
  readonly text: string;
  /** Line of the Dockerfile, from 1 (of its FROM for a trigger). */
  readonly line: number;
  readonly endLine: number;
  readonly action: Action;
  /** `created_by` of the image's history. */
  readonly createdBy: string;
  /** The configuration after this step. */
  readonly config: RunConfig;
  readonly author: string | undefined;
}

export interface StagePlan {
  readonly index: number;
  readonly name: string | undefined;
  readonly base: Base;
  /** The FROM instruction itself. */
  readonly number: number;
  readonly text: string;
  readonly line: number;
  readonly triggers: number;
  readonly steps: readonly Step[];
  /** The configuration after the last step. */
  readonly config: RunConfig;
  readonly author: string | undefined;
  /** `os/arch[/variant]` of what the stage makes. */
  readonly platform: string;
}

export interface Graph {
  /** Needed stages only, in the order of the file. */
  readonly stages: readonly StagePlan[];
  readonly target: number;
  /** Numbered steps in all, FROM instructions included. */
  readonly total: number;
  /** Build arguments that no ARG takes. */
  readonly unusedArgs: readonly string[];
}

/** The stages that a stage takes something from, in ascending order. */
export function needsOf(stage: StagePlan): number[] {
  const needs = new Set<number>();
  if (stage.base.kind === 'stage') needs.add(stage.base.index);
  for (const step of stage.steps)
    for (const source of sourcesOf(step.action))
      if (source.kind === 'stage') needs.add(source.index);
  return [...needs].sort((a, b) => a - b);
}

/** Everything that an action reads from outside its own stage. */
function sourcesOf(action: Action): Source[] {
  if (action.kind === 'copy') return [action.source];
  if (action.kind !== 'run') return [];
  return action.mounts.flatMap((mount) => (mount.type === 'bind' ? [mount.source] : []));
}

/** A readable form for golden tests and for debugging; every field that matters to the result is in it. */
export function printGraph(graph: Graph): string {
  const lines: string[] = [];
  for (const stage of graph.stages) {
    const mark = stage.index === graph.target ? ' (target)' : '';
    const name = stage.name === undefined ? '' : ` ${stage.name}`;
    lines.push(
      `stage ${stage.index}${name} from ${printSource(stage.base)} for ${stage.platform}${mark}`,
    );
    const needs = needsOf(stage);
    if (needs.length > 0) lines.push(`  needs ${needs.join(', ')}`);
    for (const step of stage.steps) {
      lines.push(
        `  ${step.number === 0 ? 'trigger' : step.number} line ${step.line}: ${step.createdBy}`,
      );
      lines.push(...printAction(step.action).map((line) => `      ${line}`));
    }
    lines.push(`  config ${JSON.stringify(stage.config)}`);
    if (stage.author !== undefined) lines.push(`  author ${stage.author}`);
  }
  lines.push(`total ${graph.total}`);
  if (graph.unusedArgs.length > 0) lines.push(`unused ${graph.unusedArgs.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

function printSource(source: Base | Source): string {
  if (source.kind === 'stage') return `stage ${source.index}`;
  if (source.kind === 'image') return `image ${source.ref} for ${source.platform}`;
  return source.kind;
}

function printAction(action: Action): string[] {
  if (action.kind === 'meta') return [];
  if (action.kind === 'workdir') return [`mkdir ${action.path} owner ${action.owner ?? 'root'}`];
  if (action.kind === 'copy') {
    const { kind, verb, source, ...rest } = action;
    return [`${kind} ${verb} from ${printSource(source)} ${JSON.stringify(rest)}`];
  }
  const { kind, mounts, args, ...rest } = action;
  const lines = [`${kind} ${JSON.stringify(args)}`, JSON.stringify(rest)];
  for (const mount of mounts) {
    const from = mount.type === 'bind' ? ` from ${printSource(mount.source)}` : '';
    lines.push(`mount${from} ${JSON.stringify(mount)}`);
  }
  return lines;
}
