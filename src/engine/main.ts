/**
 * Entry of the engine's process: reads the command line, checks that this Node can run it, and hands over to
 * the composition root. It loads nothing heavy before the check, so that an old Node gets a clear message.
 */

import { parseArgs } from 'node:util';

const USAGE = 'usage: engine --data-root DIR --run-root DIR [--idle-exit SECONDS] [--foreground]';
/** node:sqlite without a flag, and zstd in node:zlib. */
const MIN_NODE = [22, 15] as const;

async function main(): Promise<number> {
  const problem = await nodeProblem();
  if (problem !== undefined) return fail(problem);
  const options = readOptions();
  if (options === undefined) return fail(USAGE);
  const { runEngine } = await import('./engine.ts');
  return runEngine(options);
}

function readOptions():
  { dataRoot: string; runRoot: string; idleExit: number; foreground: boolean } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        'data-root': { type: 'string' },
        'run-root': { type: 'string' },
        'idle-exit': { type: 'string' },
        foreground: { type: 'boolean' },
      },
    });
    const dataRoot = values['data-root'] ?? process.env['PINNACE_DATA_ROOT'] ?? '';
    const runRoot = values['run-root'] ?? process.env['PINNACE_RUN_ROOT'] ?? '';
    const foreground = values.foreground ?? false;
    const idle = values['idle-exit'] ?? (foreground ? '0' : '300');
    if (dataRoot === '' || runRoot === '' || !/^\d{1,7}$/.test(idle)) return undefined;
    return { dataRoot, runRoot, idleExit: Number(idle), foreground };
  } catch {
    return undefined;
  }
}

async function nodeProblem(): Promise<string | undefined> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
    return `Node ${process.versions.node} is too old for the engine: ${MIN_NODE.join('.')} or newer is needed`;
  }
  try {
    await import('node:sqlite');
    return undefined;
  } catch {
    return `this Node (${process.execPath}, ${process.versions.node}) was built without node:sqlite, which the engine needs: use VS Code 1.103 or newer, or Node 22.15 or newer`;
  }
}

function fail(message: string): number {
  process.stderr.write(`pinnace engine: ${message}\n`);
  return 1;
}

// Whatever is still open at the end (an idle client, a timer) must not keep the process.
process.exit(await main());
