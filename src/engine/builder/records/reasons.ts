/**
 * Why a step ran although there is a cache: its inputs beside those that the same step had in the build before. Pure; of
 * variables only hashes are kept, so that a record never holds a value.
 */
import type { BuildReason } from '../../../lib/api/builds.ts';
import type { HashEntry } from '../files.ts';
import { hashParts, type Key } from '../keys.ts';
import type { Action } from '../plan/graph.ts';

/** More matches than this are not kept: the reason is told without names then. */
const MAX_MATCHES = 2000;

/** What a step's key was made of, beside the key before it. */
export interface StepInputs {
  /** Variable → hash of its value. */
  readonly env: Readonly<Record<string, string>>;
  /** Hash of all that is neither environment nor files. */
  readonly words: string;
  /** What it takes, one list for a COPY and one for each mount of a RUN; null when there was too much. */
  readonly content: readonly (readonly HashEntry[])[] | null;
}

/** A step as a finished record has it. */
export interface RecordedStep {
  readonly stage: number;
  readonly stageName: string | null;
  readonly text: string;
  readonly key: Key;
  readonly parentKey: Key;
  readonly inputs: StepInputs | null;
}

export function inputsOf(action: Action, contents: readonly (readonly HashEntry[])[]): StepInputs {
  const count = contents.flat().reduce((sum, { matches }) => sum + 1 + matches.length, 0);
  const content = count > MAX_MATCHES ? null : contents;
  if (action.kind !== 'run') return { env: {}, words: hashParts(action), content };
  const { env, args, cwd, user, network, script, mounts } = action;
  const words = { args, cwd, user, network, script, mounts };
  const hashes: Record<string, string> = {};
  for (const entry of env) {
    const at = entry.indexOf('=');
    hashes[entry.slice(0, at)] = hashParts(entry).slice(0, 16);
  }
  return { env: hashes, words: hashParts(words), content };
}

export interface MissedStep extends RecordedStep {
  readonly noCache: boolean;
  /** Whether it is the first of its stage that counts. */
  readonly isFirst: boolean;
}

/** `before`: the steps of the build before this one; undefined when there was none. */
export function explain(
  step: MissedStep,
  before: readonly RecordedStep[] | undefined,
  place: number,
): BuildReason {
  if (step.noCache)
    return reason('no-cache', 'it ran because the build was asked not to use the cache');
  const twin = before === undefined ? undefined : findTwin(step, before, place);
  if (twin === undefined)
    return reason('first', 'it ran because nothing like it was built here before');
  if (twin.key === step.key)
    return reason('lost', 'it ran because its earlier result was removed from the cache');
  if (twin.text !== step.text)
    return reason('instruction', 'it ran because the instruction was changed', ['text']);
  const { inputs } = step;
  if (inputs !== null && twin.inputs !== null) {
    const variables = changedNames(inputs.env, twin.inputs.env);
    if (variables.length > 0)
      return reason('instruction', `it ran because ${list(variables)} changed`, variables);
    const files = changedFiles(inputs.content, twin.inputs.content);
    if (files.length > 0) return reason('files', `it ran because ${list(files)} changed`, files);
    if (inputs.words !== twin.inputs.words)
      return reason(
        'instruction',
        'it ran because the user, folder, shell or options that it runs with changed',
        ['options'],
      );
  }
  if (step.isFirst) return reason('base', 'it ran because its base image is another one');
  return reason('earlier-step', 'it ran because a step before it gave another result');
}

function reason(
  code: BuildReason['code'],
  text: string,
  changed: readonly string[] = [],
): BuildReason {
  return { code, text, changed: changed.slice(0, 50) };
}

/** The same step of an earlier build: the same words in the same stage, else what stood at the same place. */
export function findTwin<T extends RecordedStep>(
  step: Pick<RecordedStep, 'stage' | 'stageName' | 'text'>,
  before: readonly T[],
  place: number,
): T | undefined {
  const stage = before.filter((other) =>
    step.stageName === null ? other.stage === step.stage : other.stageName === step.stageName,
  );
  const same = stage.filter(({ text }) => text === step.text);
  const at = stage[place];
  if (at !== undefined && (same.length === 0 || same.includes(at)))
    return same.length > 0 || word(at.text) === word(step.text) ? at : undefined;
  return same[0];
}

function word(text: string): string {
  return /^\S*/.exec(text)?.[0]?.toUpperCase() ?? '';
}

function changedNames(
  now: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): string[] {
  const names = new Set([...Object.keys(now), ...Object.keys(before)]);
  return [...names].filter((name) => now[name] !== before[name]).sort();
}

function changedFiles(now: StepInputs['content'], before: StepInputs['content']): string[] {
  if (now === null || before === null) return [];
  return changedNames(digests(now), digests(before));
}

function digests(content: readonly (readonly HashEntry[])[]): Record<string, string> {
  const table: Record<string, string> = {};
  for (const { matches } of content.flat())
    for (const { path, digest } of matches) table[path === '' ? '.' : path] = digest;
  return table;
}

/** `a`, `a and b`, `a, b and 3 others`. */
function list(names: readonly string[]): string {
  const shown = names.length > 3 ? names.slice(0, 2) : names;
  const rest = names.length - shown.length;
  const last = rest > 0 ? `${String(rest)} others` : (shown.at(-1) ?? '');
  const head = rest > 0 ? shown : shown.slice(0, -1);
  return head.length === 0 ? last : `${head.join(', ')} and ${last}`;
}
