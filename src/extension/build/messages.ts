/** The messages between the view of a build and the extension. Shapes, and the check of what the view sends. */
import type { BuildRecord } from '../../lib/api/builds.ts';
import type { Comparison } from './compare.ts';

export interface ShownStep {
  readonly index: number;
  readonly number: number;
  readonly text: string;
  readonly stage: string;
  readonly line: number;
  readonly outcome: string;
  /** `1.2 s`, or '' while it is not known. */
  readonly time: string;
  readonly size: string;
  /** Why it ran; '' when it did not or nothing is known. */
  readonly reason: string;
}

export interface ShownBuild {
  readonly key: string;
  readonly title: string;
  readonly status: BuildRecord['status'];
  readonly facts: readonly (readonly [string, string])[];
  readonly total: number;
  readonly steps: readonly ShownStep[];
  readonly error: string;
  readonly repeatable: boolean;
  readonly hasPrevious: boolean;
}

export interface ShownComparison {
  readonly left: string;
  readonly right: string;
  readonly summary: string;
  readonly rows: readonly {
    readonly kind: Comparison['steps'][number]['kind'];
    readonly left: ShownStep | undefined;
    readonly right: ShownStep | undefined;
    readonly difference: string;
    readonly slower: boolean;
  }[];
}

export type ToView =
  | { readonly type: 'build'; readonly build: ShownBuild }
  /** More text of a step; `step` -1: before the first one. `whole`: it takes the place of what is shown. */
  | { readonly type: 'log'; readonly step: number; readonly text: string; readonly whole: boolean }
  | { readonly type: 'comparison'; readonly comparison: ShownComparison }
  | { readonly type: 'problem'; readonly message: string };

export type FromView =
  | { readonly type: 'ready' }
  | { readonly type: 'log'; readonly step: number }
  | { readonly type: 'goto'; readonly line: number }
  | { readonly type: 'cancel' | 'rerun' | 'copy' | 'compare' };

const PLAIN = new Set(['ready', 'cancel', 'rerun', 'copy', 'compare']);

/** Undefined for what no view of ours sends. */
export function readFromView(value: unknown): FromView | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const { type } = value;
  if (typeof type !== 'string') return undefined;
  if (type === 'log' && 'step' in value && isCount(value.step)) return { type, step: value.step };
  if (type === 'goto' && 'line' in value && isCount(value.line)) return { type, line: value.line };
  return PLAIN.has(type) ? ({ type } as FromView) : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= -1 && value < 1e7;
}
