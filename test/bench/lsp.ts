/** The language server against dockerfile-language-server-nodejs: the same documents and requests over stdio, turn by turn. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DocumentFormattingRequest,
  DocumentSymbolRequest,
  SemanticTokensRequest,
} from 'vscode-languageserver/node';
import { ROOT } from '../support/engine.ts';
import { LanguageServer } from '../support/language-server.ts';
import { median, medians, type Row } from './measure.ts';

const PEER = 'dockerfile-language-server-nodejs';
const PEER_VERSION = '0.15.0';
const SIZES = [20, 200, 1000, 10_000] as const;

/** Keys struck for the percentiles; the first fifth only warms up. */
const STROKES = 500;

/** Ten lines as people write them. */
const BLOCK = `FROM node:22 AS stage@
ARG VERSION=1.2.3
ENV PATH=/usr/local/bin:$PATH VERSION=$VERSION
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends curl git \\
    && rm -rf /var/lib/apt/lists/*
COPY --chown=node:node package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
EXPOSE 3000
`;

/**
 * Turns that count, those before them, in which both are compiled as in a session of hours, and how often the peer takes
 * part, which needs seconds for a large file.
 */
const TURNS: Readonly<Record<number, { warm: number; turns: number; each: number }>> = {
  20: { warm: 300, turns: 200, each: 1 },
  200: { warm: 60, turns: 60, each: 1 },
  1000: { warm: 20, turns: 60, each: 10 },
  10_000: { warm: 4, turns: 12, each: 12 },
};

/** Both servers with the same requests, alternating; medians; then ours while somebody types. */
export async function bench(): Promise<Row[]> {
  const capabilities = {
    textDocument: {
      publishDiagnostics: {},
      completion: { completionItem: { snippetSupport: true } },
      documentSymbol: { hierarchicalDocumentSymbolSupport: true },
      formatting: {},
      semanticTokens: {
        requests: { full: true },
        tokenTypes: ['keyword', 'comment', 'parameter', 'property', 'variable', 'string'],
        tokenModifiers: ['declaration', 'deprecated'],
        formats: ['relative' as const],
      },
    },
  };
  const ours = await LanguageServer.start({
    capabilities,
    command: [process.execPath, join(ROOT, 'out', 'cli.js'), 'language-server', '--stdio'],
  });
  const peer = await LanguageServer.start({
    capabilities,
    command: [process.execPath, installPeer(), '--stdio'],
  });
  try {
    const rows: Row[] = [];
    for (const lines of SIZES) rows.push(...(await rowsOf(ours, peer, lines)));
    return [...rows, ...(await typingRows(ours)), memoryRow(ours, peer), await lintRow()];
  } finally {
    await Promise.all([ours.stop(), stopPeer(peer)]);
  }
}

/** Installs the peer once into the cache folder and gives its program. */
function installPeer(): string {
  const folder = join(ROOT, '.cache', 'bench-lsp');
  const program = join(folder, 'node_modules', PEER, 'bin', 'docker-langserver');
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const wanted = `${PEER}@${PEER_VERSION}`;
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', wanted], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return program;
}

/** Its exit status is its own affair. */
async function stopPeer({ child, connection }: LanguageServer): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  connection.dispose();
  child.kill();
  await ended;
}

const OPERATIONS = [
  'open to diagnostics',
  'change to diagnostics',
  'change and completion',
  'hover',
  'symbols',
  'format',
  'semantic tokens',
] as const;

type Operation = (typeof OPERATIONS)[number];
type Times = Record<Operation, number[]>;

async function rowsOf(ours: LanguageServer, peer: LanguageServer, lines: number): Promise<Row[]> {
  const text = textOf(lines);
  const { warm, turns, each } = TURNS[lines] ?? { warm: 10, turns: 50, each: 1 };
  const [first, second] = [new Side(ours, text, lines), new Side(peer, text, lines)];
  for (let turn = -warm; turn < turns; turn++) {
    if (turn === 0) for (const side of [first, second]) side.forget();
    await first.turn();
    if (turn % each === 0) await second.turn();
  }
  const [{ times: own }, { times: other }] = [first, second];
  return OPERATIONS.map((what): Row => {
    const [value, peerValue] = [median(own[what]), median(other[what])];
    const limit = lines >= 1000 ? 0.2 : 1;
    const label = `${String(lines)} lines: ${what}`;
    return {
      what: label,
      value,
      unit: 'ms',
      peer: PEER,
      peerValue,
      ratio: value / peerValue,
      limit,
    };
  });
}

/** Keystrokes in one file of 1,000 lines: the 99th percentiles of ours, a change to its diagnostics and to completion. */
async function typingRows(server: LanguageServer): Promise<Row[]> {
  const uri = 'file:///bench/typing.Dockerfile';
  const times = { diagnostics: [] as number[], completion: [] as number[] };
  await server.open(uri, textOf(1000));
  await server.diagnostics(uri, 1);
  let version = 1;
  for (let stroke = 0; stroke < STROKES; stroke++) {
    const isTyped = stroke % 2 === 0;
    const start = { line: 500, character: 0 };
    const end = { line: 500, character: isTyped ? 0 : 1 };
    version += 1;
    const started = performance.now();
    await server.change(uri, version, [{ range: { start, end }, text: isTyped ? 'C' : '' }]);
    await server.complete(uri, { line: 500, character: isTyped ? 1 : 0 });
    const completed = performance.now();
    await server.diagnostics(uri, version);
    if (stroke < STROKES / 5) continue;
    times.completion.push(completed - started);
    times.diagnostics.push(performance.now() - started);
  }
  await server.close(uri);
  const row = (what: keyof typeof times, limit: number): Row => ({
    what: `typing in 1000 lines: ${what}, 99th percentile`,
    value: percentile(times[what], 0.99),
    unit: 'ms',
    limit,
  });
  return [row('diagnostics', 10), row('completion', 3)];
}

function textOf(lines: number): string {
  const blocks = Array.from({ length: lines / 10 }, (_, number) =>
    BLOCK.replace('@', String(number)),
  );
  return blocks.join('');
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** One server and its times. Every turn opens a document, edits it, asks and closes it. */
class Side {
  times: Times = emptyTimes();
  private readonly server: LanguageServer;
  private readonly text: string;
  private readonly line: number;
  private count = 0;

  constructor(server: LanguageServer, text: string, lines: number) {
    this.server = server;
    this.text = text;
    this.line = lines / 2 - 2;
  }

  forget(): void {
    this.times = emptyTimes();
  }

  async turn(): Promise<void> {
    const { server, line } = this;
    const uri = `file:///bench/${String(line)}-${String(this.count++)}.Dockerfile`;
    const textDocument = { uri };
    const start = { line, character: 0 };
    await this.time('open to diagnostics', async () => {
      await server.open(uri, this.text);
      await server.diagnostics(uri, 1);
    });
    await this.time('change to diagnostics', async () => {
      await server.change(uri, 2, [{ range: { start, end: start }, text: 'RUN make\n' }]);
      await server.diagnostics(uri, 2);
    });
    const end = { line, character: 2 };
    await this.time('change and completion', async () => {
      await server.change(uri, 3, [{ range: { start, end: start }, text: 'CO\n' }]);
      await server.complete(uri, end);
    });
    await server.diagnostics(uri, 3);
    const options = { tabSize: 4, insertSpaces: true };
    const { connection } = server;
    await this.time('hover', () => server.hover(uri, { line: line + 1, character: 1 }));
    await this.time('symbols', () =>
      connection.sendRequest(DocumentSymbolRequest.type, { textDocument }),
    );
    await this.time('format', () =>
      connection.sendRequest(DocumentFormattingRequest.type, { textDocument, options }),
    );
    await this.time('semantic tokens', () =>
      connection.sendRequest(SemanticTokensRequest.type, { textDocument }),
    );
    await server.close(uri);
  }

  private async time(what: Operation, work: () => Promise<unknown>): Promise<void> {
    const started = performance.now();
    await work();
    this.times[what].push(performance.now() - started);
  }
}

function emptyTimes(): Times {
  const none = OPERATIONS.map((what): [Operation, number[]] => [what, []]);
  return Object.fromEntries(none) as Times;
}

/** How many files the linter is given. */
const FILES = 1000;

const PACKAGES = ['curl', 'git', 'vim', 'nano', 'make', 'gcc', 'jq', 'zip'];

/** `pinnace lint` on a tree of files that are all different, on one core. */
async function lintRow(): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-bench-'));
  try {
    for (let file = 0; file < FILES; file++) {
      mkdirSync(join(folder, String(file)));
      writeFileSync(join(folder, String(file), 'Dockerfile'), projectOf(file));
    }
    const program = [process.execPath, join(ROOT, 'out', 'cli.js')];
    const words = [
      'taskset',
      '-c',
      '0',
      ...program,
      'lint',
      '--no-fail',
      '--format=json',
      '--shellcheck=off',
      folder,
    ];
    const name = 'lint';
    const milliseconds = (await medians([{ name, words }], 15)).get(name) ?? Number.NaN;
    const what = `pinnace lint, a file of ${String(FILES)} on one core`;
    return { what, value: milliseconds / FILES, unit: 'ms', limit: 2 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A Dockerfile of two to five stages, like no other. */
function projectOf(number: number): string {
  const stages = Array.from({ length: 2 + (number % 4) }, (_, index) => index);
  const own = String(number);
  return stages
    .map((stage) => {
      const name = `${own}_${String(stage)}`;
      const [first, second] = [PACKAGES[number % 8], PACKAGES[(number + stage) % 8]];
      return `FROM node:${String(10 + ((number + stage) % 12))} AS stage${name}
ARG VERSION_${own}=1.${own}
ENV PATH=/opt/project${own}/bin:$PATH
WORKDIR /srv/app${own}
RUN apt-get update && apt-get install -y ${String(first)}-${own} ${String(second)} \\
    && rm -rf /var/lib/apt/lists/*
COPY --chown=node:node src${own}/ package.json ./
RUN npm ci --omit=dev && echo "built ${name}" > /built
EXPOSE ${String(3000 + number)}
CMD ["node", "main${own}.js"]
`;
    })
    .join('');
}

/** Resident memory after all documents. */
function memoryRow(ours: LanguageServer, peer: LanguageServer): Row {
  const [value, peerValue] = [residentOf(ours), residentOf(peer)];
  const ratio = value / peerValue;
  return {
    what: 'memory after all',
    value,
    unit: 'MB',
    peer: PEER,
    peerValue,
    ratio,
    limit: 1,
  };
}

function residentOf({ child }: LanguageServer): number {
  const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1000;
}
