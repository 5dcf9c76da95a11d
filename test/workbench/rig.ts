/**
 * A real workbench with the packaged extension for one test file: one code-server, one browser, a fresh copy of the folder,
 * an engine with roots of its own. What it starts, it ends; what it leaves, it tells; what failed, it keeps to be looked at.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import {
  browserProgram,
  type CodeServer,
  ensureHost,
  giveTo,
  HOST_NODE,
  leftIn,
  startCodeServer,
} from '../../scripts/lib/workbench.ts';
import { archiveOf, type IMAGE_NAMES, makeImages } from '../../scripts/lib/images.ts';
import { command, type Result, ROOT } from '../support/engine.ts';
import { makeUser, type TestUser } from '../support/users.ts';
import { withExtension } from './package.ts';
import { PATIENCE } from './parts/patience.ts';
import { Workbench } from './parts/workbench.ts';

export type Theme = 'dark' | 'light' | 'high-contrast' | 'high-contrast-light';

const THEMES: Record<Theme, string> = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'high-contrast': 'Default High Contrast',
  'high-contrast-light': 'Default High Contrast Light',
};

export interface RigOptions {
  /** A folder of the checkout, copied; or what fills an empty one. Without it the window has an empty folder. */
  readonly folder?: string | ((folder: string) => void | Promise<void>);
  readonly settings?: Readonly<Record<string, unknown>>;
  /** An engine that runs before the window opens, with these images. Without it the extension starts its own where it needs one. */
  readonly engine?: { readonly images?: readonly (typeof IMAGE_NAMES)[number][] };
  readonly theme?: Theme;
  /** `restricted`: the workspace is not trusted until `workbench.trust()`. Default: trusted. */
  readonly trust?: 'trusted' | 'restricted';
  /** For the editor; or what gives it from the private folder. */
  readonly env?:
    Readonly<Record<string, string>> | ((dir: string) => Readonly<Record<string, string>>);
  /** `ordinary`: editor and engine are those of a user who is made for the file, without root. Default: of who runs the tests. */
  readonly user?: 'ordinary';
}

/** What a test gets. */
export interface Bench {
  readonly workbench: Workbench;
  /** The copy of the folder that the window shows. */
  readonly folder: string;
  /** The private folder of everything: profile, logs, engine's roots. */
  readonly dir: string;
  /** http://127.0.0.1:PORT of code-server. */
  readonly url: string;
  /** DOCKER_HOST of the engine, running or not. */
  readonly address: string;
  /** Another window (browser tab) of the same profile. */
  readonly newWindow: (folder?: string) => Promise<Workbench>;
  /** The packaged `pinnace` command on the same engine. */
  readonly pinnace: (...args: string[]) => Promise<Result>;
  /** The docker command line on the same engine: throws on a non-zero status and answers trimmed standard output. */
  readonly docker: (...args: string[]) => Promise<string>;
  /** Of `user: 'ordinary'`. */
  readonly user: TestUser | undefined;
}

export interface Rig {
  /** A test of the file: fails with the place of its screenshot and logs. */
  readonly test: (name: string, work: (bench: Bench) => Promise<void>) => void;
}

/** Call once, at the top of a test file (or in a `describe`). */
export function withWorkbench(options: RigOptions = {}): Rig {
  let running: Running | undefined;
  before(async () => {
    running = await start(options);
  });
  after(async () => {
    assert.deepEqual((await running?.close()) ?? [], [], 'left behind');
  });
  return {
    test: (name, work) => {
      test(name, async () => {
        assert.ok(running, 'the workbench did not start');
        await running.watch(name, work);
      });
    },
  };
}

/** Opens a workbench for work that is no test (benchmarks), and ends it after. Throws when something was left behind. */
export async function inWorkbench<T>(
  options: RigOptions,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const running = await start(options);
  let value: T;
  try {
    value = await running.watch('benchmark', work);
  } finally {
    const left = await running.close();
    if (left.length > 0) console.error(`left behind: ${left.join('\n')}`);
  }
  return value;
}

interface Running {
  /** Runs work; keeps what can be seen when it fails and names the place in the error. */
  watch<T>(name: string, work: (bench: Bench) => Promise<T>): Promise<T>;
  close(): Promise<string[]>;
}

/** The folders where failed tests leave their traces. */
const KEPT = join(ROOT, '.cache', 'workbench');

async function start(options: RigOptions): Promise<Running> {
  await ensureHost();
  const undo: (() => Promise<string[]>)[] = [];
  const close = async (): Promise<string[]> => {
    const left: string[] = [];
    for (const step of undo.reverse()) {
      left.push(...(await step().catch((error: unknown) => [String(error)])));
    }
    undo.length = 0;
    return left;
  };
  try {
    return await startWith(options, undo, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function startWith(
  options: RigOptions,
  undo: (() => Promise<string[]>)[],
  close: () => Promise<string[]>,
): Promise<Running> {
  // The engine's socket must have a short path.
  const dir = mkdtempSync('/tmp/pinnace-wb-');
  undo.push(() => {
    rmSync(dir, { recursive: true, force: true });
    return Promise.resolve([]);
  });
  const user = options.user === undefined ? undefined : makeUser({ subids: 'range' });
  undo.splice(0, 0, () => {
    user?.remove();
    return Promise.resolve([]);
  });
  const extension = await withExtension();
  undo.push(extension.release);
  const folder = join(dir, 'work', folderName(options));
  await fill(folder, options.folder);
  const engine = engineOf(dir, programOf(dir, extension.unpacked, user), user);
  if (user !== undefined) await giveTo(user, dir);
  undo.push(
    () => leftIn(dir),
    () => engine.purge(),
  );
  if (options.engine !== undefined) await engine.start(options.engine.images ?? []);
  const server = await startCodeServer({
    dir,
    extensions: extension.installed,
    settings: {
      'workbench.colorTheme': THEMES[options.theme ?? 'dark'],
      'window.autoDetectColorScheme': false,
      'window.autoDetectHighContrast': false,
      'pinnace.engine.dataRoot': engine.env['PINNACE_DATA_ROOT'],
      'pinnace.engine.runRoot': engine.env['PINNACE_RUN_ROOT'],
      ...options.settings,
    },
    trust: options.trust === 'restricted' ? 'on' : 'off',
    env: {
      ...engine.env,
      ...(typeof options.env === 'function' ? options.env(dir) : options.env),
    },
    ...(user === undefined ? {} : { user }),
  });
  undo.push(async () => {
    await server.close();
    return [];
  });
  // The browser is the tests' own: what it writes must not be in the user's way.
  const browser = await startBrowser(user === undefined ? dir : join(dir, 'browser'));
  undo.push(async () => {
    await browser.close();
    return [];
  });
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    colorScheme: options.theme?.includes('light') === true ? 'light' : 'dark',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(PATIENCE);
  const newWindow = async (at = folder): Promise<Workbench> => {
    const window = new Workbench(await context.newPage());
    await window.open(server.url, at);
    return window;
  };
  const bench: Bench = {
    workbench: await newWindow(),
    folder,
    dir,
    url: server.url,
    address: engine.address,
    newWindow,
    pinnace: engine.pinnace,
    docker: engine.docker,
    user,
  };
  return { watch: (name, work) => watch(name, work, { bench, context, server }), close };
}

function folderName({ folder }: RigOptions): string {
  return typeof folder === 'string' ? (folder.split('/').at(-1) ?? 'folder') : 'folder';
}

async function fill(folder: string, from: RigOptions['folder']): Promise<void> {
  mkdirSync(folder, { recursive: true });
  if (typeof from === 'string') cpSync(join(ROOT, from), folder, { recursive: true });
  else await from?.(folder);
}

/** The command line's program, where the user can read it. */
function programOf(dir: string, unpacked: string, user: TestUser | undefined): string {
  if (user !== undefined) cpSync(unpacked, join(dir, 'program'), { recursive: true });
  return join(user === undefined ? unpacked : join(dir, 'program'), 'out', 'cli.js');
}

function startBrowser(home: string): Promise<Browser> {
  return chromium.launch({
    executablePath: browserProgram(),
    headless: true,
    env: { ...process.env, HOME: home },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

interface Seen {
  readonly bench: Bench;
  readonly context: BrowserContext;
  readonly server: CodeServer;
}

async function watch<T>(name: string, work: (bench: Bench) => Promise<T>, seen: Seen): Promise<T> {
  try {
    return await work(seen.bench);
  } catch (error) {
    const place = join(KEPT, name.replaceAll(/[^\w]+/g, '-').slice(0, 80));
    await keep(place, seen).catch((failed: unknown) => console.error(String(failed)));
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${message}\nscreenshots and logs: ${place}`, { cause: error });
  }
}

async function keep(place: string, { context, server, bench }: Seen): Promise<void> {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const [index, page] of context.pages().entries())
    await page.screenshot({ path: join(place, `window-${index}.png`), timeout: 10_000 });
  if (existsSync(server.logs)) cpSync(server.logs, join(place, 'logs'), { recursive: true });
  const engineLog = join(bench.dir, 'data-root', 'engine.log');
  if (existsSync(engineLog)) cpSync(engineLog, join(place, 'engine.log'));
}

interface BenchEngine {
  readonly env: Readonly<Record<string, string>>;
  readonly address: string;
  start(images: readonly (typeof IMAGE_NAMES)[number][]): Promise<void>;
  purge(): Promise<string[]>;
  readonly pinnace: Bench['pinnace'];
  readonly docker: Bench['docker'];
}

function engineOf(dir: string, program: string, user: TestUser | undefined): BenchEngine {
  const env = {
    PINNACE_DATA_ROOT: join(dir, 'data-root'),
    PINNACE_RUN_ROOT: join(dir, 'run'),
    DOCKER_CONFIG: join(dir, '.docker'),
  };
  const address = `unix://${join(dir, 'run', 'engine.sock')}`;
  const flags = ['--disable-warning=ExperimentalWarning', program];
  const pinnace = (...args: string[]): Promise<Result> =>
    command([...(user?.as({ ...env, HOME: dir }) ?? []), HOST_NODE, ...flags, ...args], {
      env,
      timeout: 120_000,
    });
  const docker = async (...args: string[]): Promise<string> => {
    const own = { DOCKER_HOST: address, DOCKER_BUILDKIT: '0', DOCKER_CONFIG: join(dir, '.docker') };
    const result = await command(['docker', ...args], { env: own, timeout: 120_000 });
    if (result.status !== 0)
      throw new Error(`docker ${args.join(' ')}: ${result.stdout}${result.stderr}`);
    return result.stdout.trim();
  };
  const must = async (...args: string[]): Promise<void> => {
    const result = await pinnace(...args);
    if (result.status !== 0) throw new Error(`pinnace ${args.join(' ')}: ${result.stderr}`);
  };
  return {
    env,
    address,
    pinnace,
    docker,
    start: async (images) => {
      await makeImages(images);
      await must('engine', 'start');
      for (const image of images) await must('load', '-q', '-i', archiveOf(image));
    },
    purge: async () => {
      if (!existsSync(env.PINNACE_DATA_ROOT) && !existsSync(env.PINNACE_RUN_ROOT)) return [];
      const result = await pinnace('engine', 'purge', '--yes');
      return result.status === 0 ? [] : [`purge failed: ${result.stderr}`];
    },
  };
}
