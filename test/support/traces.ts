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

/** Waits until the engine has exactly these traces again; what is removed in the background gets 8 s. */
export async function assertTraces(engine: TestEngine, expected: Traces): Promise<void> {
  for (let tries = 0; tries < 160; tries++) {
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
  within = 10_000,
): Promise<void> {
  const deadline = performance.now() + within;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await sleep(20);
  }
}
