/** Asks the native helper what this machine allows, and adds what only Node can tell. It needs no engine and changes nothing. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EngineError, messageOf } from '../../lib/errors.ts';
import { enginePaths } from './paths.ts';
import { nativePath } from './program.ts';

export interface Finding {
  readonly id: string;
  readonly level: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** The way to mend it, null when there is nothing to mend. */
  readonly remedy: string | null;
}

export interface Diagnosis {
  readonly mode: 'system' | 'rootless' | 'single-id' | 'none';
  readonly findings: readonly Finding[];
  /** The helper's whole answer (docs/native.md, probe); null when it could not be run. */
  readonly probe: unknown;
}

const PROBE_TIMEOUT_MS = 10_000;

/** Never throws for a machine's shortcomings: they are findings. */
export async function diagnose(
  options: { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Diagnosis> {
  const env = options.env ?? process.env;
  const findings: Finding[] = [await nodeFinding(), rootsFinding(env)];
  try {
    const probe = await runProbe(nativePath(env), env);
    return { mode: probe.mode, findings: [...findings, ...probe.findings], probe };
  } catch (error) {
    findings.push({
      id: 'native',
      level: 'fail',
      message: `the native helper gives no answer: ${messageOf(error)}`,
      remedy:
        error instanceof EngineError
          ? null
          : "reinstall Pinnace, or run 'npm run build' in a checkout",
    });
    return { mode: 'none', findings, probe: null };
  }
}

async function runProbe(
  native: string,
  env: NodeJS.ProcessEnv,
): Promise<Pick<Diagnosis, 'mode' | 'findings'>> {
  const running = promisify(execFile)(native, ['probe'], { env, timeout: PROBE_TIMEOUT_MS });
  running.child.stdin?.end('{}');
  const { stdout } = await running;
  return JSON.parse(stdout) as Pick<Diagnosis, 'mode' | 'findings'>;
}

/** node:sqlite came with 22.5 and is without a flag since 22.13; some builds of Electron left it out. */
async function nodeFinding(): Promise<Finding> {
  const about = `Node ${process.versions.node} (${process.execPath})`;
  try {
    await import('node:sqlite');
    return { id: 'node', level: 'ok', message: `${about} has node:sqlite`, remedy: null };
  } catch {
    return {
      id: 'node',
      level: 'fail',
      message: `${about} has no node:sqlite`,
      remedy: 'use Node 22.15 or newer, or VS Code 1.103 or newer',
    };
  }
}

function rootsFinding(env: NodeJS.ProcessEnv): Finding {
  try {
    const { dataRoot, runRoot } = enginePaths({ env });
    return {
      id: 'roots',
      level: 'ok',
      message: `data root ${dataRoot}, run root ${runRoot}`,
      remedy: null,
    };
  } catch (error) {
    return {
      id: 'roots',
      level: 'fail',
      message: messageOf(error),
      remedy: 'set PINNACE_DATA_ROOT and PINNACE_RUN_ROOT',
    };
  }
}
