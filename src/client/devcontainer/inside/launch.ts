/** Starts the VS Code Server of this container for one user: settings, extensions, identity, token. Runs inside the container. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  appendFileSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What `launch` reads from its standard input, as JSON. */
export interface LaunchRequest {
  /**
   * The path that the server's pages lie beneath. Each container has its own, because the cookie of a page is sent to all
   * ports of a host name: without it, windows of one browser would take each other's token.
   */
  readonly base?: string;
  /** The server's folder; default: the one of the kit. */
  readonly server?: string;
  /** Of the server, where it matters to the editor: servers of several commits may run side by side. */
  readonly commit?: string;
  /** Settings of the machine, written when the container has none. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Ids of a gallery, or paths of .vsix files. */
  readonly extensions?: readonly string[];
  readonly git?: { readonly name?: string; readonly email?: string };
  /** The user's own settings and keys of the editor, as the texts of their files; written once. */
  readonly user?: { readonly settings?: string; readonly keybindings?: string };
  /** Whether an SSH agent will be carried in. */
  readonly agent?: boolean;
}

/** What `launch` answers, as a line of JSON. */
export interface LaunchAnswer {
  readonly port: number;
  readonly token: string;
  /** The path that its pages lie beneath, `` for the root. */
  readonly base: string;
  readonly pid: number;
  /** Whether it had to be started. */
  readonly started: boolean;
  /** What went wrong without being in the way of the server. */
  readonly warnings: readonly string[];
}

interface State {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
  /** Missing where an older version started it. */
  readonly base?: string;
}

const KIT = '/.pinnace';
const START_MS = 30_000;
const INSTALL_MS = 180_000;

/** Starts the server, or finds it; the answer is a line on standard output. */
export async function launch(): Promise<LaunchAnswer> {
  const request = JSON.parse(readFileSync(0, 'utf8')) as LaunchRequest;
  const dir = dataFolder();
  const unlock = await lock(join(dir, 'lock'));
  try {
    const warnings: string[] = [];
    const which = whichServer(request);
    const old = readState(dir, which);
    if (old !== undefined && (await answers(old)))
      return { base: '', ...old, started: false, warnings };
    prepare(dir, request);
    if (request.git !== undefined) writeIdentity(request.git);
    const env = environment(dir, request);
    // Where the pages find the container's other ports (gate.ts); servers that do not know it have ways of their own.
    if (request.base !== undefined) env['VSCODE_PROXY_URI'] = './proxy/{{port}}/';
    const server = { dir, env, main: which.main };
    warnings.push(...(await installExtensions(server, request.extensions ?? [])));
    const base = request.base ?? '';
    const state = { ...(await start(server, { old, base, mark: which.mark })), base };
    writePrivate(join(dir, `state${which.mark}.json`), JSON.stringify(state));
    return { ...state, started: true, warnings };
  } finally {
    unlock();
  }
}

interface Which {
  /** The server's program. */
  readonly main: string;
  /** In the names of what is kept of it. */
  readonly mark: string;
}

function whichServer({ server, commit }: LaunchRequest): Which {
  return {
    main: `${server ?? `${KIT}/server`}/out/server-main.js`,
    mark: commit === undefined ? '' : `-${commit.slice(0, 12)}`,
  };
}

interface Server {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly main: string;
}

/** The user's own folder for the server, closed to others. */
export function dataFolder(): string {
  const uid = process.getuid?.() ?? 0;
  for (const parent of [homedir(), '/tmp', '/dev/shm']) {
    const dir = join(parent, parent === homedir() ? '.pinnace-server' : `.pinnace-server-${uid}`);
    try {
      mkdirSync(dir, { recursive: parent === '/tmp', mode: 0o700 });
    } catch {
      if (!existsSync(dir)) continue;
    }
    const facts = lstatSync(dir);
    if (!facts.isDirectory() || facts.uid !== uid) continue;
    try {
      accessSync(dir, constants.W_OK);
      chmodSync(dir, 0o700);
      return dir;
    } catch {
      continue;
    }
  }
  throw new Error(
    `user ${uid} can write neither its home ${homedir()} nor /tmp: the VS Code Server has no place for its data; mount a tmpfs at /tmp`,
  );
}

/** One launch at a time; a lock whose holder is gone is taken over. */
async function lock(path: string): Promise<() => void> {
  const deadline = Date.now() + INSTALL_MS + START_MS;
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch {
      const holder = Number(readText(path));
      if (Date.now() > deadline || (holder > 0 && !isAlive(holder))) rmSync(path, { force: true });
      else await sleep(50);
    }
  }
}

function prepare(dir: string, request: LaunchRequest): void {
  const user = join(dir, 'data', 'User');
  mkdirSync(user, { recursive: true });
  for (const name of ['settings', 'keybindings'] as const) {
    const path = join(user, `${name}.json`);
    const text = request.user?.[name];
    if (text !== undefined && !existsSync(path)) writeFileSync(path, text, { mode: 0o600 });
  }
  const machine = join(dir, 'data', 'Machine');
  mkdirSync(machine, { recursive: true });
  const file = join(machine, 'settings.json');
  if (existsSync(file)) return;
  const settings = { ...shellSettings(), ...request.settings };
  writeFileSync(file, `${JSON.stringify(settings, null, 2)}\n`);
}

/** A container without a shell of its own gets the one that was brought along. */
function shellSettings(): Record<string, unknown> {
  if (existsSync('/bin/sh') || existsSync('/bin/bash')) return {};
  return {
    'terminal.integrated.profiles.linux': { sh: { path: `${KIT}/bin/sh` } },
    'terminal.integrated.defaultProfile.linux': 'sh',
    'terminal.integrated.automationProfile.linux': { path: `${KIT}/bin/sh` },
  };
}

function environment(dir: string, request: LaunchRequest): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  const path = env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  env['PATH'] = existsSync('/bin/sh') ? path : `${path}:${KIT}/bin`;
  env['SHELL'] ??= ['/bin/bash', '/bin/sh', `${KIT}/bin/sh`].find((shell) => existsSync(shell));
  if (request.agent === true) env['SSH_AUTH_SOCK'] = join(dir, 'agent.sock');
  return env;
}

/** Only where the container has no identity yet: what is in ~/.gitconfig stays. */
function writeIdentity({ name, email }: { readonly name?: string; readonly email?: string }): void {
  const file = join(homedir(), '.gitconfig');
  const text = readText(file);
  if (/^\s*\[user\]/m.test(text) || (name === undefined && email === undefined)) return;
  const quote = (value: string): string =>
    `"${value
      .replaceAll('\\', '\\\\')
      .replaceAll('"', '\\"')
      .replaceAll(/[\r\n]/g, ' ')}"`;
  const lines = [
    '[user]',
    ...(name === undefined ? [] : [`\tname = ${quote(name)}`]),
    ...(email === undefined ? [] : [`\temail = ${quote(email)}`]),
  ];
  try {
    appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${lines.join('\n')}\n`);
  } catch {
    // A home that cannot be written has no identity; git itself says so when it needs one.
  }
}

async function installExtensions(
  { dir, env, main }: Server,
  extensions: readonly string[],
): Promise<string[]> {
  if (extensions.length === 0) return [];
  const marker = join(dir, 'extensions.sha256');
  const digest = createHash('sha256').update(JSON.stringify(extensions)).digest('hex');
  if (readText(marker) === digest) return [];
  const warnings: string[] = [];
  for (const extension of extensions) {
    const { status, output } = await run(
      [
        main,
        '--server-data-dir',
        dir,
        '--accept-server-license-terms',
        '--telemetry-level',
        'off',
        '--install-extension',
        extension,
      ],
      env,
    );
    if (status !== 0)
      warnings.push(`the extension ${extension} was not installed: ${lastLine(output)}`);
  }
  if (warnings.length === 0) writeFileSync(marker, digest);
  return warnings;
}

function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => parts.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => parts.push(chunk.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), INSTALL_MS);
    const end = (status: number): void => {
      clearTimeout(timer);
      resolve({ status, output: parts.join('') });
    };
    child.once('error', (error) => {
      parts.push(error.message);
      end(1);
    });
    child.once('close', (code) => end(code ?? 1));
  });
}

/** Starts the server on the port that it had before, else on a free one; its token is in a file that only the user reads. */
async function start(
  server: Server,
  { old, base, mark }: { old: State | undefined; base: string; mark: string },
): Promise<State> {
  const token = old?.token ?? randomBytes(24).toString('hex');
  const file = join(server.dir, `token${mark}`);
  writePrivate(file, token);
  const path = join(server.dir, `server${mark}.log`);
  for (const port of old === undefined ? [0] : [old.port, 0]) {
    const started = await startOn(port, { server, file, base, path });
    if (started !== undefined) return { ...started, token };
  }
  const log = readText(path);
  throw new Error(`the VS Code Server did not start: ${lastLine(log)}`);
}

async function startOn(
  port: number,
  { server, file, base, path }: { server: Server; file: string; base: string; path: string },
): Promise<{ pid: number; port: number } | undefined> {
  const { dir, env, main } = server;
  const log = openSync(path, 'w', 0o600);
  const child = spawn(
    process.execPath,
    [
      main,
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--connection-token-file',
      file,
      ...(base === '' ? [] : ['--server-base-path', base]),
      '--accept-server-license-terms',
      '--server-data-dir',
      dir,
      '--telemetry-level',
      'off',
      // The folder was trusted where it was opened from; without that nothing of it has run.
      '--disable-workspace-trust',
    ],
    { env, cwd: '/', detached: true, stdio: ['ignore', log, log] },
  );
  const end: { over?: boolean } = {};
  child.once('exit', () => (end.over = true));
  child.once('error', () => (end.over = true));
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && end.over !== true) {
    const found = /Extension host agent listening on (\d+)/.exec(readText(path))?.[1];
    if (found !== undefined && child.pid !== undefined) {
      child.unref();
      return { pid: child.pid, port: Number(found) };
    }
    await sleep(10);
  }
  if (end.over !== true) child.kill('SIGKILL');
  return undefined;
}

function answers({ pid, port }: State): Promise<boolean> {
  if (!isAlive(pid)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/version', timeout: 5000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

function readState(dir: string, { mark }: Which): State | undefined {
  try {
    const state = JSON.parse(readFileSync(join(dir, `state${mark}.json`), 'utf8')) as State;
    return Number.isInteger(state.pid) && Number.isInteger(state.port) ? state : undefined;
  } catch {
    return undefined;
  }
}

function writePrivate(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** A zombie still has a pid: it is dead all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function readText(path: string): string {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}

function lastLine(text: string): string {
  return (
    text
      .split('\n')
      .findLast((line) => line.trim() !== '')
      ?.trim() ?? 'it said nothing'
  );
}
