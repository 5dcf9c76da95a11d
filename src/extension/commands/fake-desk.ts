/** A Desk for tests: answers from a script, and a journal of all that the user, the command line and the clipboard saw. Knows no editor. */
import { PassThrough } from 'node:stream';
import type { Client } from '../../client/api/client.ts';
import type { AuthConfig } from '../../lib/api/system.ts';
import type { CliAnswer } from '../engine/cli.ts';
import type {
  ConnectionState,
  Engine,
  EngineEntry,
  Engines,
  Feature,
  Listener,
} from '../engine/engines.ts';
import type { Change, HoldingKind, Holdings, LiveStore } from '../live/store.ts';
import type { Command, Desk, Memory } from './desk.ts';
import type { Node } from '../views/nodes.ts';

/** What the test's user and machine answer; questions are answered in order, `undefined` is Escape. */
export interface FakeAnswers {
  /** Parts of the client that the command calls; any other call is an error of the test. */
  readonly client?: object;
  readonly cli?: (args: readonly string[]) => CliAnswer | Error;
  readonly holdings?: { readonly [K in HoldingKind]?: readonly Holdings[K][] };
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly memory?: Readonly<Record<string, unknown>>;
  readonly folders?: readonly { readonly name: string; readonly path: string }[];
  /** What the user is signed in with, at every registry. */
  readonly auth?: AuthConfig;
  readonly untrusted?: boolean;
  readonly entry?: Partial<EngineEntry>;
  readonly entries?: readonly EngineEntry[];
  readonly state?: ConnectionState;
  /** Features that the engine has not. */
  readonly missing?: readonly Feature[];
  /** Why no engine can be had. */
  readonly notReady?: Error;
  /** Buttons of messages (`inform`, `complain`) by their text. */
  readonly buttons?: readonly string[];
  /** Of modal questions, in order; default: yes. */
  readonly confirms?: readonly boolean[];
  /** Labels for `pick`, lists of labels for `pickMany`, in order; a label that is not there is an error of the test. */
  readonly picks?: readonly (string | readonly string[] | undefined)[];
  readonly answers?: readonly (string | undefined)[];
  readonly files?: readonly (string | undefined)[];
  /** Aborts every progress at once, as a user who clicks on cancel. */
  readonly cancel?: boolean;
  readonly execute?: (id: string, args: readonly unknown[]) => unknown;
}

export interface FakeDesk extends Desk {
  /** `inform …`, `complain … | button`, `confirm … | action`, `cli …`, `copy …`, `open …`, `execute …`, `show NAME: …`, `progress …`. */
  readonly journal: string[];
  /** What terminals showed. */
  readonly terminals: { readonly name: string; readonly ended: Promise<string> }[];
  run(command: Command, targets?: readonly Node[], argument?: unknown): Promise<readonly string[]>;
}

/** A client that has only what the test gives it: `{ containers: { start: async () => … } }`. */
function fakeClient(parts: object): Client {
  const strict = (target: object, path: string): object =>
    new Proxy(target, {
      get: (held, key) => {
        const value: unknown = Reflect.get(held, key);
        if (value === undefined && typeof key === 'string' && key !== 'then')
          throw new Error(`the test's client has no ${path}${key}`);
        return path === '' && typeof value === 'object' && value !== null
          ? strict(value, `${String(key)}.`)
          : value;
      },
    });
  return strict(parts, '') as Client;
}

function fakeEngine(answers: FakeAnswers = {}): Engine {
  const entry: EngineEntry = {
    id: 'pinnace',
    label: 'Pinnace',
    kind: 'pinnace',
    address: 'unix:///run/pinnace/engine.sock',
    ...answers.entry,
  };
  return {
    entry,
    state: answers.state ?? { kind: 'ready', version: '0.1.0', info: undefined },
    client: fakeClient(answers.client ?? {}),
    has: (feature) => answers.missing?.includes(feature) !== true,
    lacks: (feature) => `${entry.label} has no ${feature}`,
  };
}

const NO_LISTENER: Listener = { dispose: () => undefined };

export function fakeEngines(answers: FakeAnswers, journal: string[] = []): Engines {
  const active = fakeEngine(answers);
  const others = (answers.entries ?? []).map((entry) =>
    fakeEngine({ entry, state: { kind: 'off' } }),
  );
  return {
    all: [active, ...others],
    active,
    ready: () =>
      answers.notReady === undefined ? Promise.resolve(active) : Promise.reject(answers.notReady),
    choose: (id) => Promise.resolve(void journal.push(`choose ${id}`)),
    refresh: () => Promise.resolve(void journal.push('refresh')),
    find: () => Promise.resolve(),
    refreshActive: () => Promise.resolve(void journal.push('refresh')),
    stop: () => Promise.resolve(void journal.push('stop')),
    onDidChange: () => NO_LISTENER,
  };
}

function fakeLive(answers: FakeAnswers, journal: string[] = []): LiveStore {
  const key = (kind: HoldingKind, item: object): string =>
    String(Reflect.get(item, kind === 'volume' ? 'Name' : 'Id'));
  const listeners = new Set<(change: Change) => void>();
  return {
    state: 'live',
    all: <K extends HoldingKind>(kind: K): ReadonlyMap<string, Holdings[K]> => {
      const items = answers.holdings?.[kind] ?? [];
      return new Map(items.map((item) => [key(kind, item), item]));
    },
    onDidChange: (listener) => {
      listeners.add(listener);
      return { dispose: () => void listeners.delete(listener) };
    },
    onDidChangeState: () => NO_LISTENER,
    loaded: () => Promise.resolve(),
    refresh: (kind) => Promise.resolve(void journal.push(`refresh ${kind}`)),
  };
}

export function fakeDesk(answers: FakeAnswers = {}): FakeDesk {
  const journal: string[] = [];
  const terminals: FakeDesk['terminals'] = [];
  const desk: Desk = {
    ...machineSide(answers, journal),
    ...userSide(answers, journal),
    terminal: (session) => {
      journal.push(`terminal ${session.name}`);
      terminals.push({ name: session.name, ended: runTerminal(session) });
    },
  };
  return Object.assign(desk, {
    journal,
    terminals,
    run: async (command: Command, targets: readonly Node[] = [], argument?: unknown) => {
      await command.run(desk, targets, argument);
      return journal;
    },
  });
}

type MachineSide = Pick<
  Desk,
  | 'cli'
  | 'engines'
  | 'live'
  | 'credentials'
  | 'asset'
  | 'workspaceMemory'
  | 'userMemory'
  | 'startArguments'
  | 'setting'
  | 'setSetting'
  | 'folders'
  | 'trusted'
  | 'execute'
  | 'copy'
  | 'openExternal'
  | 'show'
>;

function machineSide(answers: FakeAnswers, journal: string[]): MachineSide {
  const stored = new Map<string, unknown>(Object.entries(answers.memory ?? {}));
  const settings = new Map<string, unknown>();
  const memory: Memory = {
    get: (key) => stored.get(key),
    set: (key, value) => Promise.resolve(void stored.set(key, value)),
  };
  return {
    cli: {
      run: (args) => {
        journal.push(`cli ${args.join(' ')}`);
        const answer = answers.cli?.(args) ?? { status: 0, stdout: '', stderr: '' };
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    engines: fakeEngines(answers, journal),
    live: fakeLive(answers, journal),
    workspaceMemory: memory,
    userMemory: memory,
    credentials: { authFor: () => Promise.resolve(answers.auth) },
    asset: (path) => `/extension/${path}`,
    startArguments: () => [],
    setting: (key) => (settings.has(key) ? settings.get(key) : answers.settings?.[key]),
    setSetting: (key, value) => {
      settings.set(key, value);
      return Promise.resolve(void journal.push(`set ${key} ${JSON.stringify(value)}`));
    },
    folders: () => answers.folders ?? [],
    trusted: () => answers.untrusted !== true,
    execute: (id, ...args) => {
      journal.push(['execute', id, ...args.map((arg) => JSON.stringify(arg))].join(' '));
      return Promise.resolve(answers.execute?.(id, args));
    },
    copy: (text) => Promise.resolve(void journal.push(`copy ${text}`)),
    openExternal: (url) => Promise.resolve(void journal.push(`open ${url}`)),
    show: ({ name, text }) => Promise.resolve(void journal.push(`show ${name}: ${text}`)),
  };
}

type UserSide = Pick<
  Desk,
  | 'inform'
  | 'complain'
  | 'confirm'
  | 'pick'
  | 'pickMany'
  | 'ask'
  | 'chooseFile'
  | 'chooseTarget'
  | 'progress'
>;

function userSide(answers: FakeAnswers, journal: string[]): UserSide {
  const say = (verb: string, message: string, actions: string[]): Promise<string | undefined> => {
    journal.push([`${verb} ${message}`, ...actions].join(' | '));
    return Promise.resolve(actions.find((action) => answers.buttons?.includes(action)));
  };
  const picks = [...(answers.picks ?? [])];
  const texts = [...(answers.answers ?? [])];
  const files = [...(answers.files ?? [])];
  const confirms = [...(answers.confirms ?? [])];
  const find = <T>(
    title: string,
    items: readonly { label: string; value: T }[],
    label: string,
  ): T => {
    const item = items.find((each) => each.label === label);
    if (item !== undefined) return item.value;
    throw new Error(
      `"${title}" offers no "${label}": ${items.map((each) => each.label).join(', ')}`,
    );
  };
  return {
    inform: (message, ...actions) => say('inform', message, actions),
    complain: (message, ...actions) => say('complain', message, actions),
    confirm: ({ message, action }) => {
      journal.push(`confirm ${message} | ${action}`);
      return Promise.resolve(confirms.shift() ?? true);
    },
    pick: async (title, items) => {
      journal.push(`pick ${title}`);
      const label = await Promise.resolve(picks.shift());
      return typeof label === 'string' ? find(title, items, label) : undefined;
    },
    pickMany: async (title, items) => {
      journal.push(`pickMany ${title}`);
      const labels = await Promise.resolve(picks.shift());
      return typeof labels === 'object'
        ? labels.map((label) => find(title, items, label))
        : undefined;
    },
    ask: async ({ title, check }) => {
      journal.push(`ask ${title}`);
      const text = await Promise.resolve(texts.shift());
      const wrong = text === undefined ? undefined : check?.(text);
      if (wrong !== undefined) journal.push(`refused ${wrong}`);
      return wrong === undefined ? text : undefined;
    },
    chooseFile: ({ title }) => {
      journal.push(`chooseFile ${title}`);
      return Promise.resolve(files.shift());
    },
    chooseTarget: ({ title, name }) => {
      journal.push(`chooseTarget ${title} (${name})`);
      return Promise.resolve(files.shift());
    },
    progress: async (title, work) => {
      journal.push(`progress ${title}`);
      const signal = answers.cancel === true ? AbortSignal.abort() : new AbortController().signal;
      return work(signal, ({ message }) => {
        if (message !== undefined) journal.push(`step ${message}`);
      });
    },
  };
}

/** What the session wrote, and how it ended. */
async function runTerminal(session: Parameters<Desk['terminal']>[0]): Promise<string> {
  const output = new PassThrough();
  const chunks: Buffer[] = [];
  output.on('data', (chunk: Buffer) => chunks.push(chunk));
  const end = await session
    .run({
      input: new PassThrough(),
      output,
      size: { columns: 80, rows: 24 },
      onResize: () => undefined,
      signal: new AbortController().signal,
    })
    .then(
      (status) => `[${String(status)}]`,
      (error: unknown) => `[${error instanceof Error ? error.message : String(error)}]`,
    );
  return Buffer.concat(chunks).toString('utf8') + end;
}
