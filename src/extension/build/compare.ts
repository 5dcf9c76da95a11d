/** Two builds step by step: which steps are the same, which changed, and what they cost. Pure; golden by its tests. */
import type { BuildRecord, BuildStep } from '../../lib/api/builds.ts';

export interface ComparedStep {
  /** Undefined: only the other build has it. */
  readonly left: BuildStep | undefined;
  readonly right: BuildStep | undefined;
  /** `changed`: the same place with other words. */
  readonly kind: 'same' | 'changed' | 'added' | 'removed';
  /** Right minus left; a step that is not there counts 0. */
  readonly ms: number;
  readonly size: number;
}

export interface Comparison {
  readonly steps: readonly ComparedStep[];
  /** Right minus left, of the whole builds. */
  readonly ms: number;
  readonly size: number;
}

/** Above this many steps the table of the alignment would be too large. */
const LIMIT = 1500;

/** `left` is the older build. */
export function compareBuilds(left: BuildRecord, right: BuildRecord): Comparison {
  const steps = align(left.stepList, right.stepList).map(compared);
  const size = steps.reduce((sum, step) => sum + step.size, 0);
  return { steps, ms: right.durationMs - left.durationMs, size };
}

type Pairing = readonly [BuildStep | undefined, BuildStep | undefined];

function compared([left, right]: Pairing): ComparedStep {
  const kind =
    left === undefined
      ? 'added'
      : right === undefined
        ? 'removed'
        : left.text === right.text
          ? 'same'
          : 'changed';
  const ms = timeOf(right) - timeOf(left);
  return { left, right, kind, ms, size: (right?.size ?? 0) - (left?.size ?? 0) };
}

/** A cached step cost nothing in this build, whatever it took once. */
function timeOf(step: BuildStep | undefined): number {
  return step === undefined || step.outcome === 'cached' ? 0 : step.ms;
}

/** Longest common subsequence by the steps' words; what is between is paired where the instruction is the same. */
function align(left: readonly BuildStep[], right: readonly BuildStep[]): Pairing[] {
  if (left.length > LIMIT || right.length > LIMIT) return byPlace(left, right);
  const width = right.length + 1;
  const table = new Uint16Array((left.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const same = isSame(left[i], right[j]);
      table[i * width + j] = same ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: Pairing[] = [];
  let gapLeft: BuildStep[] = [];
  let gapRight: BuildStep[] = [];
  const flush = (): void => {
    found.push(...pairGap(gapLeft, gapRight));
    gapLeft = [];
    gapRight = [];
  };
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const a = left[i];
    const b = right[j];
    if (a !== undefined && b !== undefined && isSame(a, b)) {
      flush();
      found.push([a, b]);
      i += 1;
      j += 1;
    } else if (a !== undefined && (b === undefined || at(i + 1, j) >= at(i, j + 1))) {
      gapLeft.push(a);
      i += 1;
    } else if (b !== undefined) {
      gapRight.push(b);
      j += 1;
    }
  }
  flush();
  return found;
}

function isSame(a: BuildStep | undefined, b: BuildStep | undefined): boolean {
  return a !== undefined && b !== undefined && a.text === b.text && a.stageName === b.stageName;
}

function pairGap(left: readonly BuildStep[], right: readonly BuildStep[]): Pairing[] {
  const rest = [...right];
  const found: Pairing[] = [];
  for (const step of left) {
    const partner = rest.findIndex((other) => keyword(other) === keyword(step));
    if (partner < 0) found.push([step, undefined]);
    else {
      for (const other of rest.splice(0, partner)) found.push([undefined, other]);
      found.push([step, rest.shift()]);
    }
  }
  return [...found, ...rest.map((step): Pairing => [undefined, step])];
}

function byPlace(left: readonly BuildStep[], right: readonly BuildStep[]): Pairing[] {
  const length = Math.max(left.length, right.length);
  return Array.from({ length }, (_, index): Pairing => [left[index], right[index]]);
}

function keyword({ text }: BuildStep): string {
  return text.slice(0, text.search(/\s|$/)).toUpperCase();
}
