/** Engines behind TLS with client certificates and behind `pinnace dial-stdio`: calls, streams and taken-over connections. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { archiveOf } from '../../scripts/lib/images.ts';
import { parseAddress } from '../../src/client/api/addresses.ts';
import { type Client, createClient } from '../../src/client/api/client.ts';
import { dialCommand } from '../../src/client/api/ssh.ts';
import { ROOT, startTestEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let dir: string;
let server: Server;
const file = (name: string): string => join(dir, `${name}.pem`);

before(async () => {
  dir = mkdtempSync('/tmp/pinnace-tls-');
  engine = await startTestEngine('system');
  await engine.docker('load', '-q', '-i', archiveOf('busybox:latest'));
  makeCertificates();
  server = createServer(
    {
      ca: readFileSync(file('ca')),
      cert: readFileSync(file('server')),
      key: readFileSync(file('server-key')),
      requestCert: true,
      rejectUnauthorized: true,
      allowHalfOpen: true,
    },
    (socket) => {
      const far = connect({ path: engine.address.slice('unix://'.length), allowHalfOpen: true });
      socket.pipe(far).pipe(socket);
      socket.on('error', () => far.destroy());
      far.on('error', () => socket.destroy());
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(async () => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
  assert.deepEqual(await engine.close(), []);
});

/** An authority, and certificates of it for the server and the client. */
function makeCertificates(): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca-key.pem', '-out', 'ca.pem', '-subj', '/CN=ca');
  for (const name of ['server', 'client']) {
    const from = [
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca-key.pem',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    ];
    const out = ['-keyout', `${name}-key.pem`, '-out', `${name}.pem`];
    openssl('req', '-x509', ...key, ...out, ...from, '-subj', `/CN=${name}`);
  }
}

/** What needs a plain call, an open stream and a connection that is taken over. */
async function exercise(client: Client): Promise<void> {
  try {
    await client.negotiate();
    assert.equal((await client.images.list()).length, 1);
    const events = await client.system.watch();
    const { Id } = await client.containers.create(undefined, {
      Image: 'busybox',
      Cmd: ['cat'],
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      HostConfig: { NetworkMode: 'none' },
    });
    const { socket } = await client.containers.attach(Id, { stdin: true, stdout: true });
    await client.containers.start(Id);
    socket.end('ahoy\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
    assert.match(Buffer.concat(chunks).toString('latin1'), /ahoy\n$/);
    for await (const { Action } of events) if (Action === 'die') break;
    await client.containers.remove(Id, { force: true });
  } finally {
    client.close();
  }
}

test('an engine behind TLS is reached with a client certificate', async () => {
  const address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tls = { ca: file('ca'), cert: file('client'), key: file('client-key') };
  await exercise(createClient(parseAddress(address, tls)));
});

test('who shows no certificate, or trusts another authority, is told so', async () => {
  const address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stranger = createClient(parseAddress(address, { ca: file('ca') }));
  await assert.rejects(stranger.system.ping(), /tcp:\/\/127\.0\.0\.1:\d+.*certificate required/s);
  const doubting = createClient(parseAddress(address, {}));
  await assert.rejects(doubting.system.ping(), /no TLS connection to .*certificate/);
  const missing = createClient(parseAddress(address, { ca: '/no/ca.pem' }));
  await assert.rejects(missing.system.ping(), /the TLS file \/no\/ca\.pem cannot be read/);
});

test('dial-stdio carries the whole API over two streams, and starts the engine', async () => {
  await engine.pinnace('engine', 'stop');
  const roots = [`PINNACE_DATA_ROOT=${engine.dataRoot}`, `PINNACE_RUN_ROOT=${engine.runRoot}`];
  const words = ['env', ...roots, join(ROOT, 'bin', 'pinnace'), 'dial-stdio'];
  await exercise(
    createClient({ name: 'dial', dial: () => Promise.resolve(dialCommand('dial', words)) }),
  );
});
