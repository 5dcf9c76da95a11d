/** What comes over the wire: bytes that are no message, messages that are no request, requests out of their turn. None may end or stop the server. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { type Message, StreamMessageReader } from 'vscode-languageserver/node';
import { SERVER } from '../support/language-server.ts';

/** How long an answer may take, in milliseconds. */
const PATIENCE = 20_000;

interface Answer extends Message {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A server and its bytes. `end` must be called. */
class Wire {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  private readonly answers = new Map<unknown, Answer>();
  private serial = 1000;

  constructor() {
    const flags = ['--disable-warning=ExperimentalWarning', SERVER, '--stdio'];
    this.child = spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
    const { stdout, stdin } = this.child;
    assert.ok(stdout !== null && stdin !== null);
    stdin.on('error', () => undefined);
    new StreamMessageReader(stdout).listen((message: Message) => {
      const answer: Answer = message;
      if ('result' in message || 'error' in message) this.answers.set(answer.id, answer);
    });
  }

  bytes(bytes: string | Buffer): void {
    this.child.stdin?.write(bytes);
  }

  send(message: unknown): void {
    this.bytes(frame(message));
  }

  /** Sends a request and gives its answer. */
  async ask(method: string, params?: unknown, id: unknown = ++this.serial): Promise<Answer> {
    this.send({ jsonrpc: '2.0', id, method, params });
    return this.answer(id);
  }

  async answer(id: unknown): Promise<Answer> {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const found = this.answers.get(id);
      if (found !== undefined) return found;
      assert.ok(performance.now() < end, `no answer to ${String(id)}`);
      assert.equal(this.child.exitCode, null, 'the server ended');
      await delay(5);
    }
  }

  async initialize(): Promise<void> {
    const { error } = await this.ask('initialize', { processId: null, capabilities: {} });
    assert.equal(error, undefined);
    this.send({ jsonrpc: '2.0', method: 'initialized', params: {} });
  }

  /** An answer to a request that every server gives. */
  async isAlive(): Promise<boolean> {
    const textDocument = { uri: 'file:///nowhere' };
    const { result } = await this.ask('textDocument/foldingRange', { textDocument });
    return Array.isArray(result);
  }

  async end(): Promise<number | null> {
    this.child.stdin?.end();
    return this.ended;
  }
}

function frame(message: unknown): string {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  return `Content-Length: ${String(Buffer.byteLength(text))}\r\n\r\n${text}`;
}

const shown = (params: unknown): string =>
  params === undefined ? 'nothing' : JSON.stringify(params);

const hover = (id: unknown): object => ({ jsonrpc: '2.0', id, method: 'textDocument/hover' });

describe('a server that was initialized', () => {
  let wire: Wire;
  before(async () => {
    wire = new Wire();
    await wire.initialize();
  });
  after(async () => {
    assert.equal(await wire.end(), 1);
  });

  const BYTES: readonly (readonly [string, string | Buffer])[] = [
    ['a body that is no JSON', frame('{bad}')],
    ['an empty body', frame('')],
    ['a body that is no UTF-8', Buffer.from('Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc', 'latin1')],
    ['a length that is too short', 'Content-Length: 5\r\n\r\n{"jsonrpc":"2.0"}'],
    ['a negative length', 'Content-Length: -5\r\n\r\n'],
    ['a length that is no number', 'Content-Length: x\r\n\r\n{}'],
    ['a header without a length', 'Foo: x\r\n\r\n{}'],
    ['a header without a colon', 'Foo\r\n\r\n{}'],
    ['lines that end in a line feed alone', 'Content-Length: 2\n\n{}'],
    ['noise', Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 31) % 256))],
    ['null', frame('null')],
    ['a number', frame('7')],
    ['a text', frame('"x"')],
    ['an empty list', frame('[]')],
    ['a list of requests', frame([hover(1)])],
    ['an object without anything', frame('{}')],
    ['a request whose id is null', frame(hover(null))],
    ['a request whose id is an object', frame(hover({}))],
    ['deep nesting', frame(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)],
    ['an answer to nothing', frame({ jsonrpc: '2.0', id: 777, result: 5 })],
    ['an error to nothing', frame({ jsonrpc: '2.0', id: 778, error: { code: 1, message: 'x' } })],
    ['a cancellation of nothing', frame({ jsonrpc: '2.0', method: '$/cancelRequest' })],
    ['progress of nothing', frame({ jsonrpc: '2.0', method: '$/progress', params: {} })],
    ['an unknown notification', frame({ jsonrpc: '2.0', method: 'x/y', params: 5 })],
  ];
  for (const [what, bytes] of BYTES) {
    test(`goes on after ${what}`, async () => {
      wire.bytes(bytes);
      assert.ok(await wire.isAlive());
    });
  }

  test('reads a message that comes byte by byte', async () => {
    const textDocument = { uri: 'file:///é😀' };
    const message = { jsonrpc: '2.0', id: 'slow', method: 'textDocument/foldingRange' };
    for (const byte of Buffer.from(frame({ ...message, params: { textDocument } }))) {
      wire.bytes(Buffer.of(byte));
      if (byte % 16 === 0) await delay(1);
    }
    assert.deepEqual((await wire.answer('slow')).result, []);
  });

  const NOTIFIED: readonly (readonly [string, unknown])[] = [
    ['textDocument/didOpen', undefined],
    ['textDocument/didOpen', { textDocument: 5 }],
    [
      'textDocument/didOpen',
      { textDocument: { uri: 7, languageId: 'dockerfile', version: 1, text: '' } },
    ],
    ['textDocument/didOpen', { textDocument: { uri: 'file:///n', languageId: 'x', version: 1 } }],
    ['textDocument/didChange', { textDocument: { uri: 'a' }, contentChanges: 'x' }],
    [
      'textDocument/didChange',
      { textDocument: { uri: 'a', version: 2 }, contentChanges: [{ range: {}, text: '' }] },
    ],
    ['textDocument/didClose', { textDocument: null }],
    ['textDocument/didSave', []],
    ['workspace/didChangeConfiguration', undefined],
    ['workspace/didChangeConfiguration', { settings: { pinnace: 7 } }],
    ['workspace/didChangeWorkspaceFolders', { event: 3 }],
    ['workspace/didChangeWatchedFiles', 7],
    ['pinnace/trust', 'yes'],
  ];
  for (const [method, params] of NOTIFIED) {
    test(`goes on after ${method} with ${shown(params)}`, async () => {
      wire.send({ jsonrpc: '2.0', method, params });
      assert.ok(await wire.isAlive());
    });
  }

  const REFUSED: readonly (readonly [string, unknown, number])[] = [
    ['textDocument/none', {}, -32_601],
    ['__proto__', {}, -32_601],
    ['constructor', {}, -32_601],
    ['textDocument/hover', undefined, -32_602],
    ['textDocument/hover', 'x', -32_602],
    ['textDocument/hover', [1, 2], -32_602],
    ['textDocument/hover', { textDocument: { uri: 'a' }, position: { line: '1' } }, -32_602],
    ['initialize', { capabilities: {} }, -32_600],
  ];
  for (const [method, params, code] of REFUSED) {
    test(`refuses ${method} with ${shown(params)}`, async () => {
      const { error } = await wire.ask(method, params);
      assert.equal(error?.code, code);
      assert.doesNotMatch(error.message, /Cannot read properties/);
      assert.ok(await wire.isAlive());
    });
  }

  test('refuses a request whose method is no text', async () => {
    wire.send({ jsonrpc: '2.0', id: 'odd', method: 7 });
    assert.equal((await wire.answer('odd')).error?.code, -32_600);
  });
});

describe('a server', () => {
  test('refuses all requests before it is initialized, and hears no notification', async () => {
    const wire = new Wire();
    const uri = 'file:///early/Dockerfile';
    const opened = { uri, languageId: 'dockerfile', version: 1, text: 'FROM a\n' };
    wire.send({ jsonrpc: '2.0', method: 'textDocument/didOpen', params: { textDocument: opened } });
    const asked = { textDocument: { uri } };
    assert.equal((await wire.ask('textDocument/foldingRange', asked)).error?.code, -32_002);
    assert.equal((await wire.ask('shutdown')).error?.code, -32_002);
    for (const params of [
      undefined,
      7,
      [],
      {},
      { capabilities: 7 },
      { capabilities: {}, workspaceFolders: 'x' },
    ])
      assert.equal((await wire.ask('initialize', params)).error?.code, -32_602);
    await wire.initialize();
    assert.deepEqual((await wire.ask('textDocument/foldingRange', asked)).result, []);
    assert.equal(await wire.end(), 1);
  });

  test('refuses all requests after it was shut down, and ends well then', async () => {
    const wire = new Wire();
    await wire.initialize();
    assert.deepEqual((await wire.ask('shutdown')).result, null);
    const asked = { textDocument: { uri: 'file:///late' } };
    assert.equal((await wire.ask('textDocument/foldingRange', asked)).error?.code, -32_600);
    assert.equal((await wire.ask('initialize', { capabilities: {} })).error?.code, -32_600);
    wire.send({ jsonrpc: '2.0', method: 'exit' });
    assert.equal(await wire.ended, 0);
  });

  test('that is told to exit without a shutdown says so by its status', async () => {
    const wire = new Wire();
    await wire.initialize();
    wire.send({ jsonrpc: '2.0', method: 'exit' });
    assert.equal(await wire.ended, 1);
  });
});
