/** Timing of whole commands: interleaved runs, medians, ratios. It judges nothing. */

import { spawn } from 'node:child_process';

/** One line of a benchmark's answer. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'µs' | 'MB' | 'MB/s' | '/s';
  readonly peer?: string;
  readonly peerValue?: number;
  /** value / peerValue. */
  readonly ratio?: number;
  /** What the ratio (or, without a peer, the value) must not pass. */
  readonly limit?: number;
  /** What the ratio must reach. */
  readonly least?: number;
}

export interface Timed {
  readonly name: string;
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Milliseconds of each command, median of `runs` interleaved runs after one that is not counted. Throws when one fails. */
export async function medians(
  commands: readonly Timed[],
  runs: number,
): Promise<Map<string, number>> {
  const times = new Map(commands.map(({ name }): [string, number[]] => [name, []]));
  for (let turn = 0; turn <= runs; turn += 1) {
    for (const command of commands) {
      const milliseconds = await timeOf(command);
      if (turn > 0) times.get(command.name)?.push(milliseconds);
    }
  }
  return new Map([...times].map(([name, list]) => [name, median(list)]));
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function timeOf({ words, env, name }: Timed): Promise<number> {
  const [program = '', ...args] = words;
  const started = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const milliseconds = performance.now() - started;
      if (code === 0) resolve(milliseconds);
      else reject(new Error(`${name} ended with status ${String(code)}: ${errors}`));
    });
  });
}
