/** A failed build as a finding on a line of its Dockerfile. Pure: the place, the words, and when an edit makes it void. */
import type { BuildRecord, BuildStep } from '../../lib/api/builds.ts';
import { plainText } from './terminal.ts';

export interface BuildFinding {
  readonly dockerfile: string;
  /** From 0, inclusive. */
  readonly startLine: number;
  readonly endLine: number;
  readonly message: string;
  /** The last lines of output, the newest last; empty when there were none. */
  readonly output: readonly string[];
  /** What the step's first line must still say for the finding to stand. */
  readonly step: BuildStep | undefined;
}

const LINES = 8;
const WIDTH = 300;

/** Undefined for a build that did not fail. `log`: what the failing step printed. */
export function findingOf(
  record: BuildRecord,
  log: (step: number) => string,
): BuildFinding | undefined {
  const { status, error, dockerfile, stepList } = record;
  if (status !== 'failed' || error === null) return undefined;
  const step = stepList.find(({ outcome }) => outcome === 'failed');
  const start = error.line ?? step?.startLine ?? 1;
  const end = step !== undefined && step.startLine === start ? step.endLine : start;
  const text = step === undefined ? '' : log(step.index) || step.logTail;
  const output = lastLines(text);
  return {
    dockerfile,
    startLine: Math.max(0, start - 1),
    endLine: Math.max(0, end - 1),
    message: [firstLine(error.message), ...output.slice(-LINES)].join('\n'),
    output,
    step,
  };
}

/** True when a change of lines (from 0, before the change) touches the finding. */
export function isTouched(
  { startLine, endLine }: Pick<BuildFinding, 'startLine' | 'endLine'>,
  change: { readonly startLine: number; readonly endLine: number },
): boolean {
  return change.startLine <= endLine && change.endLine >= startLine;
}

function lastLines(text: string): string[] {
  const lines = plainText(text)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  return lines.slice(-LINES).map((line) => line.slice(0, WIDTH));
}

function firstLine(text: string): string {
  return (
    plainText(text)
      .split('\n', 1)[0]
      ?.slice(0, WIDTH * 2) ?? ''
  );
}
