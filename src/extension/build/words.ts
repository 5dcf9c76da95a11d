/** How builds are put into words: outcomes and their reasons. Pure. */
import type { BuildRecord, BuildStep, BuildSummary } from '../../lib/api/builds.ts';
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

/** What happened to a step, and why it ran. */
export function outcomeText(step: Pick<BuildStep, 'outcome' | 'reason'>): string {
  if (step.outcome === 'ran') return step.reason === null ? 'ran' : step.reason.text;
  return step.outcome;
}
