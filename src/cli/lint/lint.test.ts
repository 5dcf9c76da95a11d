/** Tests of the lint command in its own process's clothes: arguments in, output and exit status out. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, test } from 'node:test';
import { Command } from 'commander';
import { messageOf } from '../../lib/errors.ts';
import type { Context } from '../context.ts';
import { lint } from '../commands/lint.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'pinnace-cli-lint-'));
after(() => rmSync(ROOT, { recursive: true, force: true }));

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function sink(): { readonly stream: Writable; readonly text: () => string } {
  const parts: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      parts.push(chunk.toString());
      done();
    },
  });
  return { stream, text: () => parts.join('') };
}

/** Runs the command as main.ts does. */
async function run(
  args: readonly string[],
  stdin = '',
  env: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const stdout = sink();
  const stderr = sink();
  let status = 0;
  const context = {
    stdin: Readable.from([stdin]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { HOME: ROOT, ...env },
    signal: new AbortController().signal,
    exit: (code: number) => {
      status = code;
    },
  } as unknown as Context;
  const program = new Command('pinnace').exitOverride();
  lint(program, context);
  try {
    await program.parseAsync(['lint', ...args], { from: 'user' });
  } catch (error) {
    stderr.stream.write(messageOf(error));
    if (status === 0) status = 1;
  }
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

function folder(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(ROOT, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test('a clean tree says nothing and exits 0; a finding exits 1 with its place', async () => {
  const root = folder('tree', {
    'a/Dockerfile': 'FROM a:1\n',
    'b/Dockerfile': 'FROM a\nCMD ["x"]\n',
  });
  assert.deepEqual(await run([join(root, 'a')]), { status: 0, stdout: '', stderr: '' });
  const { status, stdout } = await run([root]);
  assert.equal(status, 1);
  assert.match(stdout, /b\/Dockerfile:1:6 warning PinImageTag: .*\n\n1 problem in 1 file\n$/);
});

test('the threshold, the levels and the ignored rules decide the status', async () => {
  const text = 'FROM a\n';
  const statuses: (readonly [string[], number])[] = [
    [['-'], 1],
    [['-t', 'error', '-'], 0],
    [['-t', 'none', '-'], 0],
    [['--no-fail', '-'], 0],
    [['--ignore', 'DL3006', '-'], 0],
    [['--severity', 'DL3006=error', '-t', 'error', '-'], 1],
    [['--severity', 'PinImageTag=style', '-'], 0],
    [['--ignore', 'DL9999', '-'], 2],
    [['--severity', 'DL3006=high', '-'], 2],
    [['-t', 'high', '-'], 2],
    [['--format', 'html', '-'], 2],
    [['-', 'x'], 2],
    [['/nowhere/Dockerfile'], 2],
  ];
  for (const [args, status] of statuses)
    assert.equal((await run(args, text)).status, status, args.join(' '));
  assert.equal((await run(['-t', 'error', '-'], `# check=error=true\n${text}`)).status, 1);
});

test('mistakes in a configuration are told with line and key, and exit 2', async () => {
  const root = folder('config', {
    '.hadolint.yaml': 'ignored: [DL3006]\nstrict: true\n',
    Dockerfile: 'FROM a\n',
  });
  const { status, stdout, stderr } = await run([root]);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /\.hadolint\.yaml:2:1 strict: there is no key 'strict'/);
  assert.equal((await run(['--no-config', root])).status, 1);
  assert.equal((await run(['--config', join(root, 'none.yaml'), root])).status, 2);
});

test('a format that only hadolint has is told of, and text written', async () => {
  const root = folder('format', { '.hadolint.yaml': 'format: codacy\n', Dockerfile: 'FROM a\n' });
  const { status, stdout, stderr } = await run([root]);
  assert.equal(status, 1);
  assert.match(stdout, /PinImageTag/);
  assert.match(stderr, /no format 'codacy'/);
});

test('COPY sources are looked for in the context, unless that is switched off', async () => {
  const root = folder('context', { Dockerfile: 'FROM a:1\nCOPY here gone /x/\n', here: '' });
  assert.match(
    (await run([root])).stdout,
    /CopySourceMissing: nothing in the build context matches 'gone'/,
  );
  assert.equal((await run(['--no-context', root])).status, 0);
  const empty = folder('context/empty', { other: '' });
  assert.equal(
    (await run(['--context', empty, root])).stdout.match(/CopySourceMissing/g)?.length,
    2,
  );
  const none = await run(['--context', join(root, 'none'), root]);
  assert.equal(none.status, 2);
  assert.match(none.stderr, /--context: .*none is no folder/);
});

test('--fix repairs files in place and tells what is left', async () => {
  const root = folder('fix', { Dockerfile: 'FROM a as B\nCMD run\n' });
  const { status, stdout } = await run(['--fix', root]);
  assert.equal(status, 1);
  assert.match(stdout, /PinImageTag[^]*JSONArgsRecommended[^]*2 problems/);
  assert.equal(readFileSync(join(root, 'Dockerfile'), 'utf8'), 'FROM a AS b\nCMD run\n');
  await run(['--fix-suggestions', root]);
  assert.equal(readFileSync(join(root, 'Dockerfile'), 'utf8'), 'FROM a AS b\nCMD ["run"]\n');
});

test('standard input is repaired to standard output', async () => {
  const { stdout, stderr, status } = await run(['--fix', '-'], 'FROM a as b\n');
  assert.equal(stdout, 'FROM a AS b\n');
  assert.match(stderr, /Dockerfile:1:6 warning PinImageTag/);
  assert.equal(status, 1);
});

const SAMPLE = 'FROM a:1 as b\nRUN echo "<&>"\nCOPY %,:x /y\nADD p /y\n';

test('JSON has hadolint’s keys, the aliases and the fix', async () => {
  const [first] = JSON.parse((await run(['-f', 'json', '-'], SAMPLE)).stdout) as Record<
    string,
    unknown
  >[];
  assert.deepEqual(first, {
    file: 'Dockerfile',
    line: 1,
    column: 10,
    endLine: 1,
    endColumn: 12,
    level: 'warning',
    code: 'FromAsCasing',
    aliases: [],
    message: "'as' and 'FROM' should have the same casing",
    fix: { title: 'Change to AS', safety: 'safe', edits: [{ start: 9, end: 11, text: 'AS' }] },
  });
  assert.equal((await run(['-f', 'json', '-'], 'FROM a:1\n')).stdout, '[]\n');
});

test('SARIF names each rule once, and every result points to it', async () => {
  const log = JSON.parse((await run(['-f', 'sarif', '-'], SAMPLE)).stdout) as {
    version: string;
    runs: {
      tool: { driver: { rules: { id: string }[] } };
      results: { ruleId: string; ruleIndex: number; fixes?: unknown[] }[];
    }[];
  };
  assert.equal(log.version, '2.1.0');
  const [only] = log.runs;
  const rules = only?.tool.driver.rules.map(({ id }) => id) ?? [];
  assert.equal(new Set(rules).size, rules.length);
  assert.ok((only?.results.length ?? 0) >= 2);
  for (const { ruleId, ruleIndex } of only?.results ?? []) assert.equal(rules[ruleIndex], ruleId);
  assert.ok(only?.results.some(({ fixes }) => fixes?.length === 1));
});

test('annotations and XML keep their own characters apart from those of the file', async () => {
  const github = await run(['-f', 'github', '--stdin-filename', 'a,b:c/Dockerfile', '-'], SAMPLE);
  assert.match(
    github.stdout,
    /^::warning file=a%2Cb%3Ac\/Dockerfile,line=1,endLine=1,col=10,endColumn=12,title=FromAsCasing::'as'/,
  );
  const name = '<&"\n\x1b😀.Dockerfile';
  const xml = await run(['-f', 'checkstyle', '--stdin-filename', name, '-'], SAMPLE);
  assert.match(xml.stdout, /<file name="&lt;&amp;&quot;&#10;😀\.Dockerfile">/);
});

test('text for a terminal holds no control characters of files and their names', async () => {
  const { stdout } = await run(['-'], 'FROM a:1\n\x1b[31mX y\n');
  assert.ok(stdout.includes('UnknownInstruction') && !stdout.includes('\x1b'));
  const github = await run(['-f', 'github', '--stdin-filename', 'a\x1b\nb', '-'], SAMPLE);
  assert.match(github.stdout, /^::warning file=a\ufffd%0Ab,/);
  const { stderr } = await run([join(ROOT, 'no\x1b\nne')]);
  assert.match(stderr, /^pinnace: .*\/no\ufffd\ufffdne does not exist\n$/);
});

test('--images asks the engine that runs for what base images set, and says when there is none', async () => {
  const root = folder('images', { Dockerfile: 'FROM base\nUSER root\nRUN a | b\nENV A=$NONE\n' });
  const socket = join(root, 'engine.sock');
  const asked: string[] = [];
  const server = createServer(({ url = '' }, answer) => {
    asked.push(url.replace(/^\/v[\d.]+/, ''));
    answer.setHeader('Api-Version', '1.51');
    if (url.endsWith('/_ping')) answer.end('OK');
    else if (url.includes('/images/json'))
      answer.end(
        JSON.stringify([
          { RepoTags: ['base:latest', 'gone:1'], RepoDigests: [] },
          { RepoTags: null },
        ]),
      );
    else if (url.includes('gone')) {
      answer.statusCode = 404;
      answer.end('{"message":"no such image"}');
    } else
      answer.end(
        JSON.stringify({
          Os: 'linux',
          Architecture: 'amd64',
          Config: { Env: ['A=1'], User: 'me', Shell: ['/bin/bash', '-o', 'pipefail', '-c'] },
        }),
      );
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    const env = { PINNACE_HOST: `unix://${socket}` };
    const found = await run(['--images', '--no-config', root], '', env);
    assert.match(found.stdout, /its base image runs as me/);
    assert.match(found.stdout, /'\$NONE' is not defined/);
    assert.doesNotMatch(found.stdout, /pipefail/);
    assert.equal(found.status, 1);
    assert.equal(asked.length, 4);
    const offline = await run(['--no-config', root], '', env);
    assert.match(offline.stdout, /pipefail/);
    assert.equal(asked.length, 4);
  } finally {
    server.closeAllConnections();
    server.close();
  }
  const none = await run(['--images', root], '', { PINNACE_HOST: `unix://${root}/none.sock` });
  assert.equal(none.status, 2);
  assert.match(none.stderr, /none\.sock/);
});
