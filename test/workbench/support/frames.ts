/** How smoothly a document draws: the times between its frames, taken inside the page whose types are not those of Node. */
import { availableParallelism, loadavg } from 'node:os';
import type { FrameLocator } from 'playwright-core';

/** Milliseconds between two frames. */
export interface Frames {
  readonly worst: number;
  /** 95 of 100 frames came sooner. */
  readonly most: number;
  readonly count: number;
}

const BEGIN = `() => {
  const frames = { times: [], last: performance.now(), on: true };
  const next = (now) => {
    frames.times.push(now - frames.last);
    frames.last = now;
    if (frames.on) requestAnimationFrame(next);
  };
  requestAnimationFrame((now) => {
    frames.last = now;
    requestAnimationFrame(next);
  });
  globalThis.pinnaceFrames = frames;
}`;

const END = `() => {
  globalThis.pinnaceFrames.on = false;
  return globalThis.pinnaceFrames.times;
}`;

/** The frames of a document while something is done. */
export async function framesOf(frame: FrameLocator, work: () => Promise<void>): Promise<Frames> {
  const body = frame.locator('body');
  await body.evaluate(`(${BEGIN})()`);
  await work();
  const times = await body.evaluate<number[], unknown>(`(${END})()`);
  const sorted = times.toSorted((a, b) => a - b);
  return {
    worst: sorted.at(-1) ?? 0,
    most: sorted[Math.floor(sorted.length * 0.95)] ?? 0,
    count: sorted.length,
  };
}

/** By how much longer everything takes on a machine that runs more than it has processors for; at least 1. */
export function busy(): number {
  return Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
}
