/** Compiles the program that makes the network tests' traffic (traffic.c): static, so that it runs in any container. */

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './engine.ts';

/** The program's path in a folder that every user can read. */
export async function compileTraffic(dir: string): Promise<string> {
  const program = join(dir, 'traffic');
  const source = join(import.meta.dirname, 'traffic.c');
  const done = await command(['cc', '-O2', '-static', '-o', program, source]);
  if (done.status !== 0)
    throw new Error(
      `the traffic maker needs a C compiler (apt-get install gcc libc6-dev): ${done.stderr}`,
    );
  chmodSync(dir, 0o755);
  return program;
}
