/** Inlay hints: what a layer weighs and took, and whether a build now would take it from the cache. Pure. */
import type { InlayHint } from 'vscode-languageserver/node';
import type { BuildPlan, BuildPlanStep, BuildRecord, BuildStep } from '../../src/lib/api/builds.ts';
import { normalInstruction } from '../../src/client/build/progress.ts';
import type { Dockerfile, Instruction } from '../../src/lib/dockerfile/syntax.ts';
import { bytesText, secondsText, stepsOf, WEIGHTY } from './builds.ts';

export interface HintRequest {
  readonly file: Dockerfile;
  readonly record: BuildRecord | undefined;
  readonly plan: BuildPlan | undefined;
  /** Lines from 0, inclusive. */
  readonly range: { readonly start: number; readonly end: number };
}

interface Figures {
  readonly size: number;
  readonly ms: number;
  readonly state: 'cached' | 'rebuild' | undefined;
  readonly reason: string;
}

/** One at the end of each RUN, COPY, ADD and WORKDIR of which something is known. */
export function inlayHintsOf({ file, record, plan, range }: HintRequest): InlayHint[] {
  if (record === undefined && plan === undefined) return [];
  const steps = record === undefined ? undefined : stepsOf(file, record);
  const planned = new Map(plan?.steps.map((step) => [step.startLine, step]));
  const hints: InlayHint[] = [];
  let isFirst = true;
  for (const instruction of file.instructions) {
    if (instruction.kind === 'FROM') isFirst = true;
    if (!WEIGHTY.has(instruction.kind)) continue;
    const { start, end } = file.lines.span(instruction.range);
    const foreseen = planned.get(start.line + 1);
    const isSame = foreseen !== undefined && fits(instruction, foreseen);
    const figures = isSame ? figuresOf(foreseen) : recordFigures(steps?.get(instruction));
    if (figures === undefined) continue;
    const label = labelOf(figures, isFirst);
    if (figures.state === 'rebuild') isFirst = false;
    if (label === '' || end.line < range.start || end.line > range.end) continue;
    const position = { line: end.line, character: end.character };
    const tooltip = tooltipOf(figures, record);
    hints.push({ position, label, paddingLeft: true, ...(tooltip === '' ? {} : { tooltip }) });
  }
  return hints;
}

function fits({ original }: Instruction, { text }: BuildPlanStep): boolean {
  return normalInstruction(original) === normalInstruction(text);
}

function figuresOf({ cached, reason, ms, size }: BuildPlanStep): Figures {
  const state = cached === 'no' ? 'rebuild' : cached === 'unknown' ? undefined : 'cached';
  return { size: size ?? 0, ms: ms ?? 0, state, reason };
}

/** What the step took and made once; a record alone says nothing of the next build. */
function recordFigures(step: BuildStep | undefined): Figures | undefined {
  if (step === undefined || (step.outcome !== 'ran' && step.outcome !== 'cached')) return undefined;
  const { size, ms, outcome, reason } = step;
  const then =
    outcome === 'cached' ? 'The last build took it from the cache.' : (reason?.text ?? '');
  return { size, ms, state: undefined, reason: then };
}

/** Of a stage's steps that will be built anew only the first one tells why: the others follow it. */
function labelOf({ size, ms, state, reason }: Figures, tellsWhy: boolean): string {
  const why = tellsWhy && reason !== '' ? `: ${shorten(reason)}` : '';
  const words = { cached: 'cached', rebuild: `will rebuild${why}` };
  const parts = [bytesText(size), secondsText(ms), state === undefined ? '' : words[state]];
  return parts.filter((part) => part !== '').join(' · ');
}

const LONGEST = 60;

function shorten(text: string): string {
  const line =
    text
      .split('\n', 1)[0]
      ?.replace(/\.$/, '')
      .replace(/^it (?:ran|will run) because /, '') ?? '';
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

function tooltipOf({ state, reason }: Figures, record: BuildRecord | undefined): string {
  const heading =
    state === 'rebuild'
      ? 'A build now does this step anew.'
      : state === 'cached'
        ? 'A build now takes this step from the cache.'
        : '';
  const since =
    record === undefined
      ? ''
      : `Figures of the build of ${record.started.replace('T', ' ').slice(0, 16)} UTC.`;
  return [heading, reason, since].filter((part) => part !== '').join('\n');
}
