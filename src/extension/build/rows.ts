/** The rows of the view of builds as data: builds, beneath them their steps. Pure. */
import type { BuildRecord, BuildStep, BuildSummary } from '../../lib/api/builds.ts';
import type { BuildEntry } from './journal.ts';
import { titleOf } from './request.ts';
import { plainText } from './terminal.ts';
import { agoText, sizeText, timeText } from '../../lib/text/amounts.ts';
import { outcomeText, statusText, totalOf } from './words.ts';

export interface BuildRow {
  readonly label: string;
  readonly description: string;
  /** A codicon and the colour of the theme. */
  readonly icon: string;
  readonly color: string | undefined;
  /** Lines of plain text; the adapter escapes them. */
  readonly tooltip: readonly string[];
  readonly contextValue: string;
  /** For screen readers. */
  readonly spoken: string;
}

const ICONS: Readonly<Record<BuildSummary['status'], readonly [string, string | undefined]>> = {
  running: ['sync~spin', undefined],
  succeeded: ['pass', 'testing.iconPassed'],
  failed: ['error', 'testing.iconFailed'],
  cancelled: ['circle-slash', 'disabledForeground'],
};

const STEP_ICONS: Readonly<Record<BuildStep['outcome'], readonly [string, string | undefined]>> = {
  pending: ['circle-outline', 'disabledForeground'],
  running: ['sync~spin', undefined],
  cached: ['zap', 'charts.yellow'],
  ran: ['pass', 'testing.iconPassed'],
  failed: ['error', 'testing.iconFailed'],
  cancelled: ['circle-slash', 'disabledForeground'],
  skipped: ['debug-step-over', 'disabledForeground'],
};

export function buildRow({ summary, request }: BuildEntry, now: number): BuildRow {
  const [icon, color] = ICONS[summary.status];
  const label = plainText(titleOf(summary));
  const ago = agoText(now - Date.parse(summary.started));
  const cached =
    summary.cached > 0 ? `${String(summary.cached)}/${String(summary.steps)} cached` : '';
  const time = summary.status === 'running' ? 'building' : timeText(summary.durationMs);
  const words = ['build', summary.status];
  if (request !== undefined) words.push('own');
  if (request !== undefined || summary.context !== '') words.push('repeatable');
  return {
    label,
    description: [time, cached, ago].filter((part) => part !== '').join(' · '),
    icon,
    color,
    tooltip: tooltipOf(summary),
    contextValue: words.join(' '),
    spoken: `${label}, ${statusText(summary)}, ${ago}`,
  };
}

function tooltipOf(summary: BuildSummary): string[] {
  const { dockerfile, context, target, tags, argNames, platform, error, image } = summary;
  const facts: [string, string][] = [
    ['Dockerfile', dockerfile],
    ['Context', context],
    ['Stage', target],
    ['Tags', tags.join(', ')],
    ['Arguments', argNames.join(', ')],
    ['Platform', platform],
    ['Image', image.replace('sha256:', '').slice(0, 12)],
    ['Error', error?.message ?? ''],
  ];
  const lines = facts
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`);
  const whole = [`Build ${statusText(summary)}`, ...lines];
  return whole.map((line) => plainText(line).replaceAll('\n', ' ').slice(0, 400));
}

export function stepRow(
  step: BuildStep,
  record: Pick<BuildRecord, 'steps' | 'stepList'>,
): BuildRow {
  const [icon, color] = STEP_ICONS[step.outcome];
  const label = plainText(step.text).replaceAll('\n', ' ');
  const size = step.size > 0 ? sizeText(step.size) : '';
  const time =
    step.outcome === 'cached'
      ? 'cached'
      : step.outcome === 'ran' || step.outcome === 'failed'
        ? timeText(step.ms)
        : step.outcome;
  const number = `Step ${String(step.number)} of ${String(totalOf(record))}`;
  const place = `Line ${String(step.startLine)}`;
  const stage = step.stageName === null ? '' : `, stage ${step.stageName}`;
  return {
    label: label.length > 160 ? `${label.slice(0, 159)}…` : label,
    description: [time, size].filter((part) => part !== '').join(' · '),
    icon,
    color,
    tooltip: [`${number}${stage}: ${outcomeText(step)}`, place, label.slice(0, 400)],
    contextValue: `build-step ${step.outcome}`,
    spoken: `${number}, ${label.slice(0, 160)}, ${outcomeText(step)}`,
  };
}
