/** Ends of processes that mind one which has ended by itself. What a test file leaves running is ended by its deadline (scripts/lib/file-deadline.mjs). */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

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
