/** Drives a language server over stdio as an editor does, with the protocol's own client library. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ClientCapabilities,
  type CompletionItem,
  CompletionRequest,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type TextDocumentContentChangeEvent,
} from 'vscode-languageserver/node';

const ROOT = join(import.meta.dirname, '..', '..');
const BUNDLE = join(ROOT, 'out', 'language-server.cjs');

/** The server's program: the bundle where it is built, the source otherwise. */
export const SERVER = existsSync(BUNDLE) ? BUNDLE : join(ROOT, 'language-server', 'server.ts');

export interface ServerOptions {
  /** Default: our own server on this Node. */
  readonly command?: readonly string[];
  readonly capabilities?: ClientCapabilities;
  readonly initializationOptions?: unknown;
  readonly folders?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Registers what the client answers, before the first message. */
  readonly prepare?: (connection: ProtocolConnection) => void;
}

/** How long anything may take before a test gives up, in milliseconds. */
const PATIENCE = 20_000;

/** A running server with its client. `stop` must be called. */
export class LanguageServer {
  readonly child: ChildProcess;
  readonly connection: ProtocolConnection;
  readonly initialized: InitializeResult;
  private readonly published = new Map<string, PublishDiagnosticsParams>();
  private readonly waiting = new Set<() => void>();

  private constructor(
    child: ChildProcess,
    connection: ProtocolConnection,
    initialized: InitializeResult,
  ) {
    this.child = child;
    this.connection = connection;
    this.initialized = initialized;
    connection.onNotification(PublishDiagnosticsNotification.type, (params) => {
      this.published.set(params.uri, params);
      for (const wake of [...this.waiting]) wake();
    });
  }

  static async start(options: ServerOptions = {}): Promise<LanguageServer> {
    const own = [process.execPath, '--disable-warning=ExperimentalWarning', SERVER, '--stdio'];
    const [program = '', ...args] = options.command ?? own;
    const env = { ...process.env, ...options.env };
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    const connection = createProtocolConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    options.prepare?.(connection);
    connection.listen();
    const folders = (options.folders ?? []).map((uri) => ({ uri, name: uri }));
    const params = {
      processId: process.pid,
      capabilities: withTrees(options.capabilities),
      workspaceFolders: folders,
      initializationOptions: options.initializationOptions,
    };
    const initialized = await connection.sendRequest<InitializeResult>(
      InitializeRequest.method,
      params,
    );
    const server = new LanguageServer(child, connection, initialized);
    await connection.sendNotification(InitializedNotification.type, {});
    return server;
  }

  async open(uri: string, text: string, languageId = 'dockerfile'): Promise<void> {
    this.published.delete(uri);
    const textDocument = { uri, languageId, version: 1, text };
    await this.connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  }

  async change(
    uri: string,
    version: number,
    contentChanges: TextDocumentContentChangeEvent[],
  ): Promise<void> {
    this.published.delete(uri);
    const textDocument = { uri, version };
    await this.connection.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument,
      contentChanges,
    });
  }

  async close(uri: string): Promise<void> {
    const textDocument = { uri };
    await this.connection.sendNotification(DidCloseTextDocumentNotification.type, { textDocument });
  }

  /** The diagnostics pushed for a document's version. */
  async diagnostics(uri: string, version: number): Promise<PublishDiagnosticsParams> {
    const { promise, resolve, reject } = Promise.withResolvers<PublishDiagnosticsParams>();
    const look = (): void => {
      const found = this.published.get(uri);
      // A server that names no version means the last one.
      const fits = found?.version === undefined || found.version === version;
      if (found !== undefined && fits) resolve(found);
    };
    const timer = setTimeout(
      () => reject(new Error(`no diagnostics for ${uri} version ${String(version)}`)),
      PATIENCE,
    );
    this.waiting.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(look);
    }
  }

  async complete(uri: string, position: Position): Promise<CompletionItem[]> {
    const params = { textDocument: { uri }, position };
    const found = await this.connection.sendRequest(CompletionRequest.type, params);
    return found === null ? [] : Array.isArray(found) ? found : found.items;
  }

  async labels(uri: string, position: Position): Promise<string[]> {
    return (await this.complete(uri, position)).map(({ label }) => label);
  }

  /** The hover's contents as JSON. */
  async hover(uri: string, position: Position): Promise<string> {
    const params = { textDocument: { uri }, position };
    return JSON.stringify(await this.connection.sendRequest(HoverRequest.type, params));
  }

  /** Asks until the answer is yes; the server looks things up in the background. */
  async awaited(
    isSo: () => Promise<boolean>,
    told: () => string = () => 'it did not come to be',
  ): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!(await isSo())) {
      assert.ok(performance.now() < end, told());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  wasPublished(uri: string): boolean {
    return this.published.has(uri);
  }

  /** Shuts the server down as the protocol wants it; its exit status must be 0. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    await this.connection.sendRequest(ShutdownRequest.type);
    await this.connection.sendNotification(ExitNotification.type);
    assert.equal(await ended, 0);
    this.connection.dispose();
  }
}

/** Nearly all clients take outlines as trees; those that do not say so. */
function withTrees({ textDocument, ...others }: ClientCapabilities = {}): ClientCapabilities {
  const documentSymbol = { hierarchicalDocumentSymbolSupport: true };
  return { ...others, textDocument: { documentSymbol, ...textDocument } };
}
