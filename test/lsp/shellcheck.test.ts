/** ShellCheck's own program behind the language server: the real one, and ones that hang, lie or are missing. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Diagnostic } from 'vscode-languageserver/node';
import { findShellCheck } from '../../src/client/lint/shellcheck/program.ts';
import { LanguageServer } from '../support/language-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'pinnace-shellcheck-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const URI = 'file:///shellcheck/Dockerfile';
/** Milliseconds within which an answer has to come. */
const PATIENCE = 15_000;

function program(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The diagnostics once one of a code is among them. */
async function until(server: LanguageServer, code: string): Promise<readonly Diagnostic[]> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const found = (await server.diagnostics(URI, 1)).diagnostics;
    if (found.some((each) => each.code === code)) return found;
    assert.ok(
      performance.now() < end,
      `no ${code} among ${found.map((each) => String(each.code)).join(' ')}`,
    );
    await delay(20);
  }
}

function start(shellcheck: string): Promise<LanguageServer> {
  return LanguageServer.start({ initializationOptions: { settings: { shellcheck } } });
}

test('the real program finds what our reading does not, at its place, and nothing twice', async () => {
  const real = findShellCheck('', process.env);
  assert.ok(real !== undefined, 'shellcheck is not in the PATH: apt-get install shellcheck');
  const server = await start('');
  await server.open(URI, 'FROM a:1\nRUN x \\\n  # why\n  && [ 1 = 1 ] && rm $y\n');
  const found = await until(server, 'SC2050');
  const constant = found.filter(({ code }) => code === 'SC2050');
  assert.deepEqual(
    constant.map(({ range, source }) => [range.start.line, range.start.character, source]),
    [[3, 9, 'shellcheck']],
  );
  assert.equal(constant[0]?.codeDescription?.href, 'https://www.shellcheck.net/wiki/SC2050');
  assert.deepEqual(
    found.filter(({ code }) => code === 'SC2086'),
    [],
  );
  await server.stop();
});

test('a program is asked once for each text, after a pause, and with the script alone', async () => {
  const log = join(folder, 'log');
  const comment =
    '{"line":2,"column":1,"endLine":2,"endColumn":2,"level":"error","code":2998,"message":"m"}';
  const path = program(
    'counting',
    `echo "$PWD $*" >> ${log}\ncat > /dev/null\necho '{"comments":[${comment}]}'\nexit 1`,
  );
  const server = await start(path);
  await server.open(URI, 'FROM a:1\nRUN x\nRUN x\n');
  const found = await until(server, 'SC2998');
  assert.equal(found.filter(({ code }) => code === 'SC2998').length, 2);
  const asked = readFileSync(log, 'utf8').trim().split('\n');
  assert.equal(asked.length, 1);
  assert.match(asked[0] ?? '', /^\/ --norc --format=json1 --shell=sh --exclude=\S+ -$/);
  await server.stop();
});

const BAD: readonly (readonly [string, string])[] = [
  ['lies', 'echo "{"; exit 1'],
  ['fails', 'exit 4'],
  ['floods', 'yes x'],
  ['hangs', 'exec sleep 600'],
];

for (const [name, body] of BAD) {
  test(`a program that ${name} keeps nothing from our own findings`, async () => {
    const server = await start(program(name, body));
    await server.open(URI, 'FROM a:1\nRUN sudo x\nRUN y $z\n');
    assert.ok((await until(server, 'NoSudo')).length >= 2);
    await delay(600);
    assert.deepEqual(
      await server.labels(URI, { line: 0, character: 0 }).then((all) => all.length > 0),
      true,
    );
    await server.stop();
  });
}

test('a program that hangs ends with its document, and with the server', async () => {
  const log = join(folder, 'pids');
  const server = await start(program('slow', `echo $$ >> ${log}\nexec sleep 600`));
  const pids = async (count: number): Promise<number[]> => {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const text = existsSync(log) ? readFileSync(log, 'utf8').trim() : '';
      if (text !== '' && text.split('\n').length >= count) return text.split('\n').map(Number);
      assert.ok(performance.now() < end, 'the program was not started');
      await delay(20);
    }
  };
  const isGone = async (pid: number): Promise<void> => {
    const end = performance.now() + PATIENCE;
    while (existsSync(`/proc/${String(pid)}`)) {
      assert.ok(performance.now() < end, `${String(pid)} still runs`);
      await delay(20);
    }
  };
  await server.open(URI, 'FROM a:1\nRUN x\n');
  const [first = 0] = await pids(1);
  await server.close(URI);
  await isGone(first);
  await server.open(URI, 'FROM a:1\nRUN y\n');
  const [, second = 0] = await pids(2);
  await server.stop();
  await isGone(second);
});

test('a program that is named but not there is not looked for elsewhere', () => {
  const path = program('one', 'exit 0');
  const env = { PATH: `relative:${folder}` };
  assert.equal(findShellCheck(path, env), path);
  for (const setting of ['off', 'one', './one', join(folder, 'none'), folder])
    assert.equal(findShellCheck(setting, env), undefined);
  assert.equal(findShellCheck('', env), undefined);
});
