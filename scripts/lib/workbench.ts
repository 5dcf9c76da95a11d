// Brings a real VS Code (code-server, test/workbench/host) and the packaged extension into a private profile, starts and ends it. It must never touch the user's own profile or engine.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensurePackages } from './debian.ts';
import { must, ROOT } from './shell.ts';
import { endProcesses, processesOf } from './processes.ts';

const HOST = join(ROOT, 'test', 'workbench', 'host');
const MODULES = join(HOST, 'node_modules');
const NODE = join(MODULES, `node-linux-${process.arch}`);

/** What the host's native modules are compiled with, and the browser. */
const HOST_PACKAGES = ['chromium', 'libkrb5-dev', 'python3', 'make', 'g++'];

export const HOST_NODE = join(NODE, 'bin', 'node');
const ENTRY = join(MODULES, 'code-server', 'out', 'node', 'entry.js');

/** Installs code-server where it is missing: about two minutes and 800 MB, once. Throws where packages are missing and the user may not install them. */
export async function ensureHost(): Promise<void> {
  if (process.arch !== 'x64')
    throw new Error(
      `the workbench's Node is packaged for x64 only; this machine is ${process.arch}`,
    );
  await ensurePackages(HOST_PACKAGES);
  const stamp = join(MODULES, '.pinnace-stamp');
  const lock = readFileSync(join(HOST, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  if (!existsSync(stamp) && (await answers())) {
    writeFileSync(stamp, wanted);
    return;
  }
  console.log('setup: installing code-server for the workbench tests (two minutes, 800 MB, once)');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await must('npm', ['ci', '--ignore-scripts', ...quiet], { cwd: HOST, output: 'collect' });
  await must('npm', ['rebuild', '--foreground-scripts', 'code-server', 'argon2'], {
    cwd: HOST,
    output: 'collect',
    env: {
      PATH: `${NODE}/bin:${process.env['PATH'] ?? ''}`,
      npm_config_nodedir: NODE,
      npm_config_yes: 'true',
      // code-server reads its Node's version from here, where the npm that runs us has written its own.
      npm_config_user_agent: undefined,
    },
  });
  if (!(await answers())) throw new Error(`code-server does not run: ${ENTRY} --version failed`);
  writeFileSync(stamp, wanted);
}

/** Whether code-server and its own modules, which are installed last, are there and run. */
async function answers(): Promise<boolean> {
  const vscode = join(MODULES, 'code-server', 'lib', 'vscode', 'node_modules', '@vscode', 'spdlog');
  if (!existsSync(HOST_NODE) || !existsSync(ENTRY) || !existsSync(vscode)) return false;
  return must(HOST_NODE, [ENTRY, '--version'], { output: 'collect' }).then(
    () => true,
    () => false,
  );
}

/** The browser of the machine: PINNACE_CHROMIUM, or Debian's. */
export function browserProgram(): string {
  const found = [
    process.env['PINNACE_CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/google-chrome',
  ].find((path) => path !== undefined && existsSync(path));
  if (found === undefined)
    throw new Error('no Chromium: install the Debian package chromium or set PINNACE_CHROMIUM');
  return found;
}

export interface CodeServerOptions {
  /** A private folder: the profile, the home and the logs lie in it. It must exist. */
  readonly dir: string;
  /** A folder of installed extensions, copied into the profile. */
  readonly extensions?: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Whether VS Code asks for the workspace's trust. */
  readonly trust: 'off' | 'on';
  readonly env: Readonly<Record<string, string>>;
  /** Whose editor it is; default: of who runs this. */
  readonly user?: EditorUser;
}

export interface EditorUser {
  readonly uid: number;
  /** Command-line words that run what follows as the user, in an environment of `env` alone. */
  readonly as: (env: Readonly<Record<string, string>>) => string[];
}

export interface CodeServer {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly port: number;
  /** Where VS Code writes its logs. */
  readonly logs: string;
  /** Ends the server; what it had started ends with it, but an engine. `leftIn` tells what did not. */
  close(): Promise<void>;
}

/** How long the server may take until it answers, in milliseconds. */
const START_MS = 60_000;

/** The settings that make a workbench quiet: no welcome pages, no chat, no questions. */
const QUIET = {
  'workbench.startupEditor': 'none',
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'window.commandCenter': false,
  'extensions.ignoreRecommendations': true,
  'files.simpleDialog.enable': true,
  'workbench.reduceMotion': 'on',
  'security.workspace.trust.startupPrompt': 'never',
  'git.openRepositoryInParentFolders': 'never',
};

/** Starts code-server on a free port of loopback and waits until it answers. Throws with its log when it does not. */
export async function startCodeServer(options: CodeServerOptions): Promise<CodeServer> {
  const { dir, user } = options;
  prepareProfile(options);
  if (user !== undefined) await giveTo(user, dir);
  const port = await freePort();
  const logFile = join(dir, 'code-server.log');
  const log = openSync(logFile, 'a');
  const env = {
    EXTENSIONS_GALLERY: '{}',
    HOME: dir,
    XDG_CONFIG_HOME: join(dir, 'xdg'),
    XDG_DATA_HOME: join(dir, 'xdg'),
    ...options.env,
  };
  const words = [...(user?.as(env) ?? []), HOST_NODE, ...serverArguments(options, port)];
  const child = spawn(words[0] ?? HOST_NODE, words.slice(1), {
    cwd: dir,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  // A test process that dies of an error has no time to close.
  process.once('exit', () => {
    const runs = child.exitCode === null && child.signalCode === null;
    if (child.pid !== undefined && runs) signalGroup(child.pid, 'SIGKILL');
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilHealthy(child, `${url}/healthz`);
  } catch (error) {
    await endProcesses(dir);
    throw new Error(`${String(error)}\n${readFileSync(logFile, 'utf8')}`, { cause: error });
  }
  return { url, port, logs: join(dir, 'data', 'logs'), close: () => closeServer(child) };
}

/** Gives a private folder, with all that is in it, to the user. */
export async function giveTo({ uid }: EditorUser, dir: string): Promise<void> {
  await must('chown', ['-hR', `${uid}:${uid}`, dir], { output: 'collect' });
}

function prepareProfile({ dir, extensions, settings }: CodeServerOptions): void {
  const text = JSON.stringify({ ...QUIET, ...settings }, null, 2);
  // Settings of machine scope are read from the second place alone.
  for (const place of ['User', 'Machine']) {
    mkdirSync(join(dir, 'data', place), { recursive: true });
    writeFileSync(join(dir, 'data', place, 'settings.json'), text);
  }
  if (extensions === undefined) mkdirSync(join(dir, 'ext'), { recursive: true });
  else cpSync(extensions, join(dir, 'ext'), { recursive: true });
}

function serverArguments({ dir, trust }: CodeServerOptions, port: number): string[] {
  return [
    ENTRY,
    ...['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`],
    ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
    ...(trust === 'off' ? ['--disable-workspace-trust'] : []),
    ...['--user-data-dir', join(dir, 'data'), '--extensions-dir', join(dir, 'ext')],
    ...['--vscode-option', 'enable-smoke-test-driver'],
  ];
}

async function untilHealthy(child: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`code-server ended (${child.exitCode})`);
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    if (answer?.ok === true) return;
    if (performance.now() > deadline) throw new Error(`code-server does not answer at ${url}`);
    await sleep(100);
  }
}

async function closeServer(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  signalGroup(child.pid, 'SIGTERM');
  const patience = new AbortController();
  await Promise.race([
    ended,
    sleep(10_000, undefined, { signal: patience.signal }).catch(() => undefined),
  ]);
  patience.abort();
  // The group may hold children that did not listen.
  signalGroup(child.pid, 'SIGKILL');
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The processes of a profile that have not ended fifteen seconds after their server; they are then ended. */
export async function leftIn(dir: string): Promise<string[]> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const left = processesOf(dir);
    if (left.length === 0) return [];
    if (performance.now() > deadline) {
      await endProcesses(dir);
      return left.map(({ pid, line }) => `process ${pid} ${line}`);
    }
    await sleep(100);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port on loopback');
  return address.port;
}

/** Installs a VSIX as a user would, into a new folder beneath the temporary one. Returns that folder; the caller removes it. */
export async function installExtension(vsix: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'pinnace-ext-'));
  const profile = mkdtempSync(join(tmpdir(), 'pinnace-install-'));
  try {
    await must(
      HOST_NODE,
      [
        ENTRY,
        ...['--user-data-dir', profile, '--extensions-dir', dir],
        ...['--install-extension', vsix],
      ],
      { output: 'collect', env: { HOME: profile, EXTENSIONS_GALLERY: '{}' } },
    );
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
  return dir;
}
