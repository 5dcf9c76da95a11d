/** Restart policies and the pauses between restarts, as Docker has them. Pure. */

import type { RestartPolicy } from '../../lib/api/containers.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 60_000;
/** A run this long makes the next pause short again. */
const STEADY_SECONDS = 10;

export interface RunFacts {
  readonly exitCode: number;
  readonly restartCount: number;
  readonly manuallyStopped: boolean;
}

export function shouldRestart(policy: RestartPolicy, run: RunFacts): boolean {
  if (run.manuallyStopped) return false;
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure': {
      const limit = policy.MaximumRetryCount ?? 0;
      return run.exitCode !== 0 && (limit === 0 || run.restartCount < limit);
    }
    default:
      return false;
  }
}

/** Milliseconds: 100, then twice the last, at most a minute. */
export function nextBackoff(lastMs: number, ranSeconds: number): number {
  if (lastMs === 0 || ranSeconds >= STEADY_SECONDS) return FIRST_PAUSE_MS;
  return Math.min(lastMs * 2, LONGEST_PAUSE_MS);
}
