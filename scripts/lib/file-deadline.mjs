// Loaded into the process of each test file: ends one that goes on after its last test, or that takes far too long, and names what kept it alive. It must never end a file that is at work.
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Milliseconds that a file may take; the longest take two minutes. */
const FILE_LIMIT = 600_000;
/** Milliseconds that a process may go on after its last test: long enough for a file's own farewells. */
const LINGER_LIMIT = 120_000;

/** The processes that this one has started and that still run: pid → command line. */
function children() {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').match(/\d+/g);
  return new Map(
    (pids ?? []).flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [[Number(pid), line]];
      } catch {
        return [];
      }
    }),
  );
}

function endAfter(ms, what) {
  const end = () => {
    const left = children();
    const lines = [...left].map(([pid, line]) => `\n  process ${pid}: ${line}`);
    const resources = process.getActiveResourcesInfo().join(', ');
    console.error(`${process.argv[1]}: ${what} (${ms / 1000} s): ${resources}${lines.join('')}`);
    for (const pid of left.keys()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    process.exit(1);
  };
  setTimeout(end, ms).unref();
}

if (isMainThread && process.env.NODE_TEST_CONTEXT !== undefined) {
  const { after } = await import('node:test');
  endAfter(FILE_LIMIT, 'the file is not done');
  after(() => endAfter(LINGER_LIMIT, 'the process goes on after its last test'));
}
