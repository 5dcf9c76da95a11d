/**
 * Loads a packaged extension as a desktop editor's extension host would, in a process of its own: what the editor has of its
 * own (windows, trees, notifications) is a stand-in that answers nothing, what the extension does is real. No test of the editor.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AuthorityResolver, MessagePassing } from '../../src/extension/resolver/api.ts';
import { connectManagement } from './vscode-client.ts';

/** What the process is started with, as JSON in DESKTOP. */
export interface DesktopSetup {
  /** An unpacked extension. */
  readonly extension: string;
  /** The editor's own files: product.json. */
  readonly appRoot: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Whether the proposed API that the manifest asks for is allowed. */
  readonly proposals: 'allowed' | 'refused';
  /** The window's folder: of this machine, or of a remote authority. */
  readonly folder: { readonly path: string; readonly authority?: string };
  /** A command; what the editor asks of a resolver; a file that is waited for. */
  readonly steps: readonly (
    | { readonly command: string; readonly argument?: unknown }
    | { readonly resolve: string }
    | { readonly file: string }
  )[];
}

/** What it did, a line of JSON each. */
export type DesktopEvent =
  | { readonly kind: 'execute'; readonly id: string; readonly args: readonly unknown[] }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'resolved'; readonly appRoot: string | undefined }
  | { readonly kind: 'refused'; readonly message: string; readonly temporary: boolean }
  | { readonly kind: 'done'; readonly activation: number };

const setup = JSON.parse(process.env['DESKTOP'] ?? '{}') as DesktopSetup;
const commands = new Map<string, (...args: unknown[]) => unknown>();
const resolvers = new Map<string, AuthorityResolver>();
const tell = (event: DesktopEvent): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

/** Answers everything with itself, and is nothing. */
const nothing: unknown = new Proxy(function nobody() {}, {
  get: (_target, key) => {
    if (key === 'then') return undefined;
    if (key === Symbol.iterator) return () => [].values();
    if (key === Symbol.toPrimitive) return () => '';
    return nothing;
  },
  apply: () => nothing,
  construct: () => nothing as object,
});

/** An object whose missing parts are nothing; bundles copy it, and keep its prototype. */
function partly<T extends object>(known: T): T {
  return Object.setPrototypeOf(known, nothing as object) as T;
}

class Emitter {
  private readonly listeners = new Set<(value: unknown) => void>();
  readonly event = (listener: (value: unknown) => void): { dispose: () => void } => {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  };
  fire(value: unknown): void {
    for (const listener of [...this.listeners]) listener(value);
  }
  dispose(): void {
    this.listeners.clear();
  }
}

interface UriParts {
  readonly scheme: string;
  readonly authority?: string;
  readonly path: string;
}

function uriOf({ scheme, authority = '', path }: UriParts): UriParts & { fsPath: string } {
  return { scheme, authority, path, fsPath: path };
}

class RemoteAuthorityResolverError extends Error {
  readonly temporary: boolean;
  constructor(message: string, temporary: boolean) {
    super(message);
    this.temporary = temporary;
  }
  static NotAvailable(message = ''): RemoteAuthorityResolverError {
    return new RemoteAuthorityResolverError(message, false);
  }
  static TemporarilyNotAvailable(message = ''): RemoteAuthorityResolverError {
    return new RemoteAuthorityResolverError(message, true);
  }
}

function allowed(): void {
  if (setup.proposals === 'refused') throw new Error('CANNOT use API proposal: resolvers');
}

const manifest = JSON.parse(readFileSync(join(setup.extension, 'package.json'), 'utf8')) as {
  readonly contributes: {
    readonly configuration: {
      readonly properties: Readonly<Record<string, { readonly default?: unknown }>>;
    };
  };
};

function setting(key: string): unknown {
  return key in setup.settings
    ? setup.settings[key]
    : manifest.contributes.configuration.properties[key]?.default;
}

const { folder } = setup;
const root =
  folder.authority === undefined
    ? uriOf({ scheme: 'file', path: folder.path })
    : uriOf({ scheme: 'vscode-remote', authority: folder.authority, path: folder.path });

const message = (): Promise<undefined> => Promise.resolve(undefined);
const vscode = partly({
  version: '1.139.1',
  EventEmitter: Emitter,
  Disposable: class {
    dispose: () => void;
    constructor(dispose: () => void) {
      this.dispose = dispose;
    }
  },
  Uri: {
    file: (path: string) => uriOf({ scheme: 'file', path }),
    from: uriOf,
    parse: () => nothing,
  },
  UIKind: { Desktop: 1, Web: 2 },
  ExtensionKind: { UI: 1, Workspace: 2 },
  ProgressLocation: { Notification: 15 },
  RemoteAuthorityResolverError,
  ManagedResolvedAuthority: class {
    readonly makeConnection: () => Thenable<MessagePassing>;
    readonly connectionToken: string | undefined;
    constructor(makeConnection: () => Thenable<MessagePassing>, connectionToken?: string) {
      this.makeConnection = makeConnection;
      this.connectionToken = connectionToken;
    }
  },
  env: partly({
    appRoot: setup.appRoot,
    uiKind: 1,
    remoteName: folder.authority?.replace(/\+.*/, ''),
    get remoteAuthority() {
      allowed();
      return folder.authority;
    },
  }),
  l10n: { t: (text: string) => text },
  window: partly({
    showErrorMessage: (text: string) => {
      tell({ kind: 'error', message: text });
      return message();
    },
    showInformationMessage: message,
    showQuickPick: (items: readonly unknown[]) => Promise.resolve(items[0]),
    showWarningMessage: message,
    withProgress: (_options: unknown, work: (progress: unknown, token: unknown) => unknown) =>
      work(nothing, { isCancellationRequested: false, onCancellationRequested: () => nothing }),
  }),
  commands: partly({
    registerCommand: (id: string, run: (...args: unknown[]) => unknown) => {
      commands.set(id, run);
      return { dispose: () => void commands.delete(id) };
    },
    executeCommand: (id: string, ...args: unknown[]) => {
      const own = commands.get(id);
      if (own !== undefined) return Promise.resolve(own(...args));
      if (id !== 'setContext') tell({ kind: 'execute', id, args });
      return Promise.resolve(undefined);
    },
  }),
  workspace: partly({
    isTrusted: true,
    workspaceFolders: [{ uri: root, name: 'folder', index: 0 }],
    getConfiguration: (section: string) => ({ get: (key: string) => setting(`${section}.${key}`) }),
    registerRemoteAuthorityResolver: (prefix: string, resolver: AuthorityResolver) => {
      allowed();
      resolvers.set(prefix, resolver);
      return { dispose: () => void resolvers.delete(prefix) };
    },
  }),
});

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'vscode'
      ? { url: 'desktop:vscode', format: 'commonjs', shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) =>
    url === 'desktop:vscode'
      ? { format: 'commonjs', source: 'module.exports = globalThis.desktop;', shortCircuit: true }
      : next(url, context),
});

async function main(): Promise<void> {
  Object.assign(globalThis, { desktop: vscode });
  const state = { get: () => undefined, update: () => Promise.resolve(), keys: () => [] };
  const context = {
    subscriptions: [],
    extensionPath: setup.extension,
    extensionUri: uriOf({ scheme: 'file', path: setup.extension }),
    globalStorageUri: uriOf({ scheme: 'file', path: join(setup.appRoot, 'User', 'global', 'x') }),
    globalState: state,
    workspaceState: state,
    secrets: nothing,
    extension: { packageJSON: manifest, extensionKind: 1, id: 'pinnace.pinnace' },
    asAbsolutePath: (path: string) => join(setup.extension, path),
  };
  const require = createRequire(pathToFileURL(join(setup.extension, 'package.json')));
  const began = performance.now();
  const extension = require('./out/extension.cjs') as { activate(context: unknown): void };
  extension.activate(context);
  const activation = performance.now() - began;
  for (const step of setup.steps) {
    if ('resolve' in step) await resolve(step.resolve);
    else if ('file' in step) await until(step.file, () => existsSync(step.file));
    else await run(step.command, step.argument);
  }
  tell({ kind: 'done', activation });
  process.exit(0);
}

/** As the editor does it: right after the activation. */
async function resolve(authority: string): Promise<void> {
  const resolver = resolvers.get(authority.replace(/\+.*/, ''));
  if (resolver === undefined) throw new Error('No remote extension installed to resolve it');
  try {
    const { makeConnection, connectionToken } = await resolver.resolve(authority, {
      resolveAttempt: 1,
    });
    const { commit } = JSON.parse(readFileSync(join(setup.appRoot, 'product.json'), 'utf8')) as {
      commit: string;
    };
    const window = await connectManagement(await makeConnection(), {
      token: connectionToken ?? '',
      commit,
    });
    const environment = (await window.call('remoteextensionsenvironment', 'getEnvironmentData', {
      remoteAuthority: authority,
    })) as Record<string, { path?: string }>;
    window.end();
    tell({ kind: 'resolved', appRoot: environment['appRoot']?.path });
  } catch (error) {
    if (!(error instanceof RemoteAuthorityResolverError)) throw error;
    tell({ kind: 'refused', message: error.message, temporary: error.temporary });
  }
}

/** A person's click comes later than the areas of the extension. */
async function run(id: string, argument: unknown): Promise<void> {
  await until('the area of dev containers', () => commands.has('_pinnace.devcontainer.host'));
  await commands.get(id)?.(argument);
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`${what}: not within 20 s`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

await main();
