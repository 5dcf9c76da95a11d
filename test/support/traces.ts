/** What an engine has on its disk and among the processes, for tests that compare before and after a fault. It only reads. */

import assert from 'node:assert/strict';
import { globSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestEngine } from './engine.ts';

export interface Traces {
  /** Names in tmp/. */
  readonly temporary: readonly string[];
  /** Names in the shims' folder: container ids and steps of builds. */
  readonly shims: readonly string[];
  /** Names in snapshots/, drafts among them. */
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
  readonly containers: readonly string[];
}

export function tracesOf(engine: TestEngine): Traces {
  const list = (...path: string[]): string[] => readdirSync(join(...path)).sort();
  return {
    temporary: list(engine.dataRoot, 'tmp'),
    shims: list(engine.runRoot, 'shims'),
    layers: list(engine.dataRoot, 'snapshots'),
    blobs: list(engine.dataRoot, 'content', 'blobs', 'sha256'),
    containers: list(engine.dataRoot, 'containers'),
  };
}

/** The traces once the engine's helpers are done: what was dropped may still be on its way out right after an answer. */
export async function settledTraces(engine: TestEngine): Promise<Traces> {
  const pid = await engine.pid();
  const helpers = (): number[] => childrenOf(pid).filter(lives);
  let before = tracesOf(engine);
  for (let same = 0; same < 3;) {
    await sleep(50);
    const now = tracesOf(engine);
    const still = JSON.stringify(now) === JSON.stringify(before) && helpers().length === 0;
    same = still ? same + 1 : 0;
    before = now;
  }
  return before;
}

/** The processes that a process has started and that are still its own. */
export function childrenOf(pid: number): number[] {
  return globSync(`/proc/${String(pid)}/task/*/children`).flatMap((path) => {
    try {
      return readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

/** Waits until the engine has exactly these traces again; what is removed in the background gets a minute, for slow machines. */
export async function assertTraces(engine: TestEngine, expected: Traces): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    if (JSON.stringify(tracesOf(engine)) === JSON.stringify(expected)) return;
    await sleep(50);
  }
  assert.deepEqual(tracesOf(engine), expected);
}

/** Living processes whose command line has all the words, as pids. */
export function processesWith(...words: string[]): number[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap((path) => {
    try {
      const line = readFileSync(path, 'utf8').replaceAll('\0', ' ');
      return words.every((word) => line.includes(word)) ? [Number(path.split('/')[2])] : [];
    } catch {
      return [];
    }
  });
}

/** Whether a process lives (a zombie does not). */
export function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Asks every 20 ms until the answer is true; a failure names what never came. */
export async function until(
  what: string,
  ask: () => boolean | Promise<boolean>,
  within = 60_000,
): Promise<void> {
  const deadline = performance.now() + within;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await sleep(20);
  }
}
