/** How builds are put into words: outcomes and their reasons. Pure. */
import type { BuildReason, BuildRecord, BuildStep, BuildSummary } from '../../lib/api/builds.ts';
import { timeText } from '../../lib/text/amounts.ts';

const STATUS: Readonly<Record<BuildSummary['status'], string>> = {
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
};

export function statusText({ status, durationMs }: BuildSummary): string {
  return status === 'running' ? 'building' : `${STATUS[status]} in ${timeText(durationMs)}`;
}

/** The number of the last step: an engine's record may hold fewer steps, only those that touch files. */
export function totalOf({ steps, stepList }: Pick<BuildRecord, 'steps' | 'stepList'>): number {
  return stepList.reduce((most, { number }) => Math.max(most, number), steps);
}

/** Why a step ran, where that says something: not that it was new. */
export function whyText(reason: BuildReason | null): string {
  if (reason === null || reason.code === 'first') return '';
  return reason.text.replace(/^it ran because /, '');
}

/** What happened to a step, and why it ran. */
export function outcomeText(step: Pick<BuildStep, 'outcome' | 'reason'>): string {
  const why = step.outcome === 'ran' ? whyText(step.reason) : '';
  return why === '' ? step.outcome : `${step.outcome}: ${why}`;
}
