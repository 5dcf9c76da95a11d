/** Runs the mocha suite inside code-server's extension host: the window is opened with VS Code's own test payload, and answers with an exit code. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHostSuite, HOST_SUITE } from '../../scripts/lib/host-suite.ts';
import { packageApart } from '../../scripts/lib/vsix.ts';
import { Workbench } from './parts/workbench.ts';
import type { Bench } from './rig.ts';

export interface HostRun {
  /** 0 when every test passed. */
  readonly code: number;
  /** What the suite has printed. */
  readonly log: string;
}

export interface HostWork {
  /** Variables of the extension host. */
  readonly env?: Readonly<Record<string, string>>;
  /** What a person does in the window meanwhile. The suite ends early when it fails. */
  readonly meanwhile?: (workbench: Workbench) => Promise<void>;
}

/** How long the whole suite may take, in milliseconds. */
const SUITE_MS = 180_000;

/** Runs the suite in a new window of the bench, on the extension as it is built now. */
export async function withExtensionHostMocha(bench: Bench, work: HostWork = {}): Promise<HostRun> {
  const stage = mkdtempSync(join(tmpdir(), 'pinnace-stage-'));
  try {
    await Promise.all([packageApart(stage), buildHostSuite()]);
    return await runIn(bench, stage, work);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

async function runIn(
  { workbench, url, folder }: Bench,
  extension: string,
  { env, meanwhile }: HostWork,
): Promise<HostRun> {
  const page = await workbench.page.context().newPage();
  const log: string[] = [];
  const ended = Promise.withResolvers<number>();
  await page.exposeFunction('codeAutomationExit', (code: number) => ended.resolve(code));
  await page.exposeFunction('codeAutomationLog', (_type: string, parts: unknown[]) => {
    log.push(parts.map(String).join(' '));
  });
  const remote = (path: string): string => `vscode-remote://${new URL(url).host}${path}`;
  const payload = [
    ['extensionDevelopmentPath', remote(extension)],
    ['extensionTestsPath', remote(HOST_SUITE)],
    ['skipWelcome', 'true'],
    ...(env === undefined ? [] : [['extensionEnvironment', JSON.stringify(env)]]),
  ];
  const query = new URLSearchParams({ folder, payload: JSON.stringify(payload) });
  await page.goto(`${url}/?${query.toString()}`, { timeout: SUITE_MS });
  const timer = setTimeout(() => {
    ended.reject(new Error(`the suite did not end within ${SUITE_MS} ms:\n${log.join('\n')}`));
  }, SUITE_MS);
  try {
    await Promise.race([ended.promise, meanwhile?.(new Workbench(page))]);
    const code = await ended.promise;
    // A window in which something failed stays, so that it can be looked at.
    await page.close();
    return { code, log: log.join('\n') };
  } finally {
    clearTimeout(timer);
  }
}
