/** The children of tests: what an assertion left running is ended after its file, which else would wait for it for ever; and ends that mind a process which has ended by itself. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';

/** How long after the last test a file's own farewells may take, in milliseconds. */
const FAREWELL_MS = 60_000;

const running = new Set<ChildProcess>();

// In test files alone: benchmarks use the same support.
if (process.env['NODE_TEST_CONTEXT'] !== undefined)
  after(() => {
    const timer = setTimeout(() => {
      for (const child of running) child.kill('SIGKILL');
    }, FAREWELL_MS);
    timer.unref();
  });

/** A child that ends at the latest with its test file, whoever forgets it. */
export function owned<C extends ChildProcess>(child: C): C {
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

/** Ends a child and waits until it has; one that has ended already stays so. */
export async function end(child: ChildProcess, name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(name);
  await gone;
}

/** False where the process, or the group of a negative id, has ended meanwhile. Throws for ids that mean the caller's own group or everybody. */
export function sendSignal(pid: number, name: NodeJS.Signals): boolean {
  if (!Number.isInteger(pid) || Math.abs(pid) <= 1)
    throw new Error(`no process to send ${name} to: ${String(pid)}`);
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
