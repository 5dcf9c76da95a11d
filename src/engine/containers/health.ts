/** Runs a container's health check on its schedule and keeps the result for inspect. In memory: a restarted engine begins anew. */

import type { HealthState } from '../../lib/api/containers.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Container } from './container.ts';
import { announce } from './parts.ts';
import type { ContainersParts } from './parts.ts';
import type { Execs } from './streams/exec.ts';

const SECOND_NS = 1e9;
const DEFAULTS = {
  interval: 30 * SECOND_NS,
  timeout: 30 * SECOND_NS,
  startInterval: 5 * SECOND_NS,
  retries: 3,
};
const KEPT_RESULTS = 5;
const MAX_OUTPUT = 4096;

/** Begins the checks of a started container; returns their end, undefined when it has none. */
export function watchHealth(
  container: Container,
  execs: Execs,
  parts: ContainersParts,
): (() => void) | undefined {
  const check = container.definition.config.Healthcheck;
  const test = check?.Test ?? [];
  if (check === undefined || check === null || test.length === 0 || test[0] === 'NONE')
    return undefined;
  const shell = container.definition.config.Shell ?? ['/bin/sh', '-c'];
  const command = test[0] === 'CMD-SHELL' ? [...shell, test[1] ?? ''] : test.slice(1);
  const started = Date.now();
  const startPeriodMs = (check.StartPeriod ?? 0) / 1e6;
  const state: HealthState = { Status: 'starting', FailingStreak: 0, Log: [] };
  container.health = state;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const schedule = () => {
    const isStarting = state.Status === 'starting' && Date.now() - started < startPeriodMs;
    const pause = isStarting
      ? orDefault(check.StartInterval, DEFAULTS.startInterval)
      : orDefault(check.Interval, DEFAULTS.interval);
    timer = setTimeout(() => void run(), pause / 1e6);
    timer.unref();
  };
  const run = async () => {
    if (isOver) return;
    if (container.state.status === 'paused') {
      schedule();
      return;
    }
    const begin = parts.clock();
    const result = await execs
      .probe(container, command, {
        timeoutMs: orDefault(check.Timeout, DEFAULTS.timeout) / 1e6,
        maxOutput: MAX_OUTPUT,
      })
      .catch((error: unknown) => ({ exitCode: -1, output: messageOf(error) }));
    if (isEnded()) return;
    state.Log = [
      ...state.Log.slice(1 - KEPT_RESULTS),
      {
        Start: begin.toISOString(),
        End: parts.clock().toISOString(),
        ExitCode: result.exitCode,
        Output: result.output,
      },
    ];
    const before = state.Status;
    judge(state, {
      isHealthy: result.exitCode === 0,
      isStarting: begin.getTime() - started < startPeriodMs,
      retries: orDefault(check.Retries, DEFAULTS.retries),
    });
    if (state.Status !== before)
      announce(parts.events, container, `health_status: ${state.Status}`);
    schedule();
  };
  const isEnded = () => isOver;
  schedule();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** Docker's rule: one success makes healthy; failures count only after the start period, and `retries` of them in a row make unhealthy. */
export function judge(
  state: HealthState,
  result: { isHealthy: boolean; isStarting: boolean; retries: number },
): void {
  if (result.isHealthy) {
    state.Status = 'healthy';
    state.FailingStreak = 0;
    return;
  }
  if (state.Status === 'starting' && result.isStarting) return;
  state.FailingStreak++;
  if (state.FailingStreak >= result.retries) state.Status = 'unhealthy';
}

function orDefault(value: number | undefined, fallback: number): number {
  return value === undefined || value === 0 ? fallback : value;
}
