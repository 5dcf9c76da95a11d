/** Addresses never become options of ssh, and a command's streams are a socket that tells why it broke. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAddress } from './addresses.ts';
import { createClient } from './client.ts';
import { dialCommand, explainSsh, parseSsh, sshCommand } from './ssh.ts';

test('addresses of all forms are read', () => {
  assert.deepEqual(parseAddress('unix:///run/x.sock'), { socketPath: '/run/x.sock' });
  assert.deepEqual(parseAddress('/run/x.sock'), { socketPath: '/run/x.sock' });
  assert.deepEqual(parseAddress('tcp://[::1]:2375'), { host: '::1', port: 2375 });
  assert.deepEqual(parseSsh('ssh://me@far:2222'), {
    user: 'me',
    host: 'far',
    port: 2222,
    engine: 'any',
  });
  assert.equal(parseSsh('pinnace+ssh://far').engine, 'pinnace');
  assert.equal(parseSsh('ssh://[fe80::1%eth0]:22').host, 'fe80::1%eth0');
  assert.equal(parseSsh('ssh://me@corp@far').user, 'me@corp');
});

test('what ssh or a shell could read as something else is refused', () => {
  for (const text of [
    'ssh://-oProxyCommand=x',
    'ssh://-l@far',
    'ssh://a@-far',
    'ssh://far;reboot',
    'ssh://$(x)@far',
    'ssh://a b@far',
    'ssh://far/path',
    'ssh://far:99999',
    'ssh://',
    'ssh://far\n',
    'tcp://user@host:1',
    'http://x',
    'x',
  ])
    assert.throws(() => parseAddress(text), /not an/, text);
});

test('the host comes behind the end of the options', () => {
  const words = sshCommand(parseSsh('ssh://me@far:2222'));
  assert.deepEqual(words.slice(words.indexOf('-l'), words.indexOf('far')), [
    '-l',
    'me',
    '-p',
    '2222',
    '--',
  ]);
  assert.match(
    words.at(-1) ?? '',
    /^sh -c '[^']*docker system dial-stdio[^']*pinnace dial-stdio[^']*'$/,
  );
});

test('what ssh and the other side say is told with the way out, and with what trying again is worth', () => {
  const cases: [said: string, address: string, kind: string, words: RegExp][] = [
    [
      'Host key verification failed.',
      'ssh://me@far:2222',
      'forbidden',
      /once with: ssh -p 2222 me@far /,
    ],
    [
      '@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.',
      'ssh://far',
      'forbidden',
      /^its host key is not the one [^@]*ssh-keygen -R 'far'$/,
    ],
    ['me@far: Permission denied (publickey).', 'ssh://me@far', 'unauthorized', /ssh-add/],
    [
      'dial unix /var/run/docker.sock: connect: permission denied',
      'ssh://me@far',
      'unavailable',
      /me may not use Docker there/,
    ],
    [
      'dial unix /var/run/docker.sock: connect: no such file or directory',
      'ssh://far',
      'unavailable',
      /its engine does not run/,
    ],
    [
      'sh: 1: exec: pinnace: not found',
      'pinnace+ssh://far',
      'unavailable',
      /; pinnace is not in the PATH/,
    ],
    ['bash: line 1: pinnace: command not found', 'ssh://far', 'unavailable', /neither docker nor/],
    ['ssh: Could not resolve hostname far: x', 'ssh://far', 'unavailable', /nobody knows a host/],
    ['client_loop: send disconnect: Broken pipe', 'ssh://far', 'unavailable', /the host is up/],
    ['something else', 'ssh://far', 'unavailable', /^something else$/],
  ];
  for (const [said, address, kind, words] of cases) {
    const complaint = explainSsh(said, parseSsh(address));
    assert.equal(complaint.kind, kind, said);
    assert.match(complaint.text, words);
  }
});

test('a client speaks through the streams of a command', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pinnace-dial-'));
  const socket = join(dir, 's');
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ Version: request.url }));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const join2 = `const s = require('net').connect(${JSON.stringify(socket)}); process.stdin.pipe(s); s.pipe(process.stdout)`;
  const words = [process.execPath, '-e', join2];
  const client = createClient({
    name: 'ssh://x',
    dial: () => Promise.resolve(dialCommand('ssh://x', words)),
  });
  try {
    for (let call = 0; call < 3; call += 1)
      assert.match((await client.system.version()).Version, /^\/v[\d.]+\/version$/);
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  }
});

test('what the command says on standard error is the reason', async () => {
  const words = [
    process.execPath,
    '-e',
    'console.error("Permission denied (publickey)."); process.exit(255)',
  ];
  const failing = createClient({
    name: 'ssh://x',
    dial: () => Promise.resolve(dialCommand('ssh://x', words)),
  });
  await assert.rejects(failing.system.version(), /^EngineError: ssh:\/\/x: Permission denied/);
  const missing = createClient({
    name: 'ssh://x',
    dial: () => Promise.resolve(dialCommand('ssh://x', ['/no/ssh'])),
  });
  await assert.rejects(missing.system.version(), /could not be run/);
});
