/** Builds and comparisons as the view shows them: texts only, nothing to work out. Pure. */
import type { BuildRecord, BuildStep } from '../../lib/api/builds.ts';
import type { Comparison } from './compare.ts';
import type { ShownBuild, ShownComparison, ShownStep } from './messages.ts';
import { titleOf } from './request.ts';
import { plainText } from './terminal.ts';
import { sizeText, timeText } from '../../lib/text/amounts.ts';
import { statusText, totalOf, whyText } from './words.ts';

export function shownBuild(
  record: BuildRecord,
  more: Pick<ShownBuild, 'key' | 'repeatable' | 'hasPrevious'>,
): ShownBuild {
  const { status, dockerfile, context, target, tags, argNames, platform, image, steps } = record;
  const size = record.stepList.reduce((sum, step) => sum + step.size, 0);
  const cached = record.cached > 0 ? ` (${String(record.cached)} from the cache)` : '';
  const facts: (readonly [string, string])[] = [
    ['Dockerfile', dockerfile],
    ['Context', context],
    ['Stage', target],
    ['Tags', tags.join(', ')],
    ['Arguments', argNames.join(', ')],
    ['Platform', platform],
    ['Steps', `${String(steps)}${cached}`],
    ['Layers', size > 0 ? sizeText(size) : ''],
    ['Image', image.replace('sha256:', '').slice(0, 12)],
  ];
  return {
    ...more,
    title: plainText(titleOf(record)),
    status,
    facts: [['Result', statusText(record)], ...facts.filter(([, value]) => value !== '')],
    total: totalOf(record),
    steps: record.stepList.map(shownStep),
    error: status === 'failed' ? plainText(record.error?.message ?? '') : '',
  };
}

function shownStep(step: BuildStep): ShownStep {
  const timed = step.outcome === 'ran' || step.outcome === 'failed';
  return {
    index: step.index,
    number: step.number,
    text: plainText(step.text),
    stage: step.stageName ?? '',
    line: step.startLine,
    outcome: step.outcome,
    time: timed && step.ms >= 1 ? timeText(step.ms) : '',
    size: step.size > 0 ? sizeText(step.size) : '',
    reason: step.outcome === 'ran' ? plainText(whyText(step.reason)) : '',
  };
}

/** Less than so many milliseconds more or less in a step says nothing. */
const NOISE = 50;

export function shownComparison(
  left: BuildRecord,
  right: BuildRecord,
  { steps, ms, size }: Comparison,
): ShownComparison {
  const changed = steps.filter(({ kind }) => kind !== 'same').length;
  const parts = [
    changed === 0
      ? 'No step changed'
      : `${String(changed)} of ${String(steps.length)} steps changed`,
    signed(ms, 'slower', 'faster', timeText) || 'as fast',
    signed(size, 'larger', 'smaller', sizeText) || 'as large',
  ];
  return {
    left: `${plainText(titleOf(left))}, ${left.started.replace('T', ' ').slice(0, 19)}`,
    right: `${plainText(titleOf(right))}, ${right.started.replace('T', ' ').slice(0, 19)}`,
    summary: `${parts.join(', ')}.`,
    rows: steps.map((step) => ({
      kind: step.kind,
      left: step.left && shownStep(step.left),
      right: step.right && shownStep(step.right),
      difference: [
        Math.abs(step.ms) < NOISE ? '' : signed(step.ms, 'slower', 'faster', timeText),
        signed(step.size, 'larger', 'smaller', sizeText),
      ]
        .filter((part) => part !== '')
        .join(', '),
      slower: step.ms >= NOISE,
    })),
  };
}

function signed(
  value: number,
  above: string,
  below: string,
  text: (value: number) => string,
): string {
  if (Math.abs(value) < 1) return '';
  return `${text(Math.abs(value))} ${value > 0 ? above : below}`;
}
