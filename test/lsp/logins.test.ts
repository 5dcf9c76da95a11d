/** The language server asks registries as the user would: logins of docker and of the client, certificates, mirrors; and what leaks to nobody. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import {
  LogMessageNotification,
  type Position,
  type ProtocolConnection,
} from 'vscode-languageserver/node';
import { startRegistry } from '../../scripts/lib/registry.ts';
import { LanguageServer } from '../support/language-server.ts';
import { push } from '../support/registry-content.ts';
import {
  type Authority,
  makeAuthority,
  startTlsRegistry,
  startTokenServer,
  type TlsSettings,
} from '../support/tls-registry.ts';

/** `open sesame`. */
const HTPASSWD = 'ali:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n';
const SECRET = 'open sesame';
const AUTH = Buffer.from(`ali:${SECRET}`).toString('base64');
/** Milliseconds within which an answer comes, whatever registries and helpers do. */
const AT_ONCE = 1000;

const folder = mkdtempSync('/tmp/pinnace-lsp-logins-');
const storage = join(folder, 'storage');
const uri = 'file:///logins/Dockerfile';
let authority: Authority;
let digest = '';
/** The user's home; new for each test. */
let home = '';
const stops: (() => unknown)[] = [];

before(async () => {
  authority = makeAuthority(join(folder, 'authority'));
  const plain = await startRegistry(storage);
  try {
    digest = await push(plain.url, 'fleet/app', '1.9');
  } finally {
    await plain.stop();
  }
  writeFileSync(join(storage, 'users'), HTPASSWD);
});
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  home = mkdtempSync(join(folder, 'home-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A registry behind TLS; with users unless `auth` says something else. */
async function registryWith(settings: Partial<TlsSettings> = {}): Promise<string> {
  const auth = `{htpasswd: {realm: test, path: ${join(storage, 'users')}}}`;
  const registry = await startTlsRegistry(storage, { authority, auth, ...settings });
  stops.push(() => registry.stop());
  return registry.address;
}

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** What docker keeps for a registry in `certs.d` of the user. */
function trustFolder(address: string): string {
  const certificates = join(home, '.config', 'docker', 'certs.d', address);
  mkdirSync(certificates, { recursive: true });
  return certificates;
}

function trust(address: string): void {
  copyFileSync(authority.ca, join(trustFolder(address), 'ca.crt'));
}

function dockerConfig(config: object): void {
  mkdirSync(join(home, '.docker'), { recursive: true });
  writeFileSync(join(home, '.docker', 'config.json'), JSON.stringify(config));
}

/** A credential helper `cave` that notes each start; the rest of its script is given. */
function helper(script: string): { readonly env: Record<string, string>; starts: () => number } {
  const program = join(home, 'docker-credential-cave');
  const notes = join(home, 'starts');
  writeFileSync(program, `#!/bin/sh\necho x >> ${notes}\n${script}\n`);
  chmodSync(program, 0o755);
  return {
    env: { PATH: `${home}${delimiter}${process.env['PATH'] ?? ''}` },
    starts: () => (existsSync(notes) ? readFileSync(notes, 'utf8').split('\n').length - 1 : 0),
  };
}

interface Asking {
  readonly env?: Readonly<Record<string, string>>;
  readonly trusted?: boolean;
  readonly capabilities?: object;
  readonly prepare?: (connection: ProtocolConnection) => void;
}

interface Asked {
  readonly server: LanguageServer;
  readonly log: string[];
  /** At the end of `FROM HOST/fleet/app:`. */
  readonly tags: () => Promise<string[]>;
  /** On `FROM HOST/fleet/app:1.9`. */
  readonly hover: () => Promise<string>;
}

async function serverFor(address: string, asking: Asking = {}): Promise<Asked> {
  const { env = {}, trusted = true, capabilities = {}, prepare } = asking;
  const log: string[] = [];
  const server = await LanguageServer.start({
    capabilities,
    initializationOptions: { trusted, settings: { engineLookups: false } },
    env: {
      ...{
        HOME: home,
        XDG_CONFIG_HOME: join(home, '.config'),
        DOCKER_CONFIG: join(home, '.docker'),
      },
      ...{ PINNACE_DATA_ROOT: join(home, 'data'), PINNACE_RUN_ROOT: join(home, 'run') },
      ...env,
    },
    prepare: (connection) => {
      connection.onNotification(LogMessageNotification.type, ({ message }) => {
        log.push(message);
      });
      prepare?.(connection);
    },
  });
  stops.push(() => server.stop());
  const image = `FROM ${address}/fleet/app:`;
  await server.open(uri, `${image}\n${image}1.9\n`);
  const at = (line: number, character: number): Position => ({ line, character });
  return {
    server,
    log,
    tags: () => server.labels(uri, at(0, image.length)),
    hover: () => server.hover(uri, at(1, image.length)),
  };
}

/** Waits until tags and configuration are known; neither they nor the log tell the secret. */
async function isRead({ server, log, tags, hover }: Asked): Promise<void> {
  await server.awaited(
    async () => (await tags()).includes('1.9') && (await hover()).includes(digest),
    () => log.join('; '),
  );
  assert.deepEqual(
    log.filter((line) => line.includes('registry: ')),
    [],
  );
  assert.ok(!(await hover()).includes(SECRET) && !(await hover()).includes(AUTH));
}

/** Waits for a line of the log, while every answer comes at once. */
async function isTold({ server, log, tags, hover }: Asked, wanted: RegExp): Promise<void> {
  await server.awaited(
    async () => {
      const started = performance.now();
      await tags();
      await hover();
      assert.ok(performance.now() - started < AT_ONCE);
      return log.some((line) => wanted.test(line));
    },
    () => log.join('; '),
  );
  const told = log.filter((line) => line.includes('registry: '));
  assert.equal(new Set(told).size, told.length, 'nothing is told twice');
  for (const secret of [SECRET, AUTH, 'hunter2']) assert.ok(!log.join().includes(secret));
}

test("docker's own login and the authority in certs.d open a registry with users behind TLS", async () => {
  const address = await registryWith();
  trust(address);
  dockerConfig({ auths: { [address]: { auth: AUTH } } });
  await isRead(await serverFor(address));
});

test('a credential helper is started once, not before the workspace is trusted, and tells nobody else', async () => {
  const address = await registryWith();
  trust(address);
  dockerConfig({ credHelpers: { [address]: 'cave' } });
  const cave = helper(`read host; echo '{"Username":"ali","Secret":"${SECRET}"}'`);
  const asked = await serverFor(address, { env: cave.env, trusted: false });
  for (let turn = 0; turn < 5; turn++) {
    assert.deepEqual(await asked.tags(), []);
    assert.ok(!(await asked.hover()).includes(digest));
  }
  assert.equal(cave.starts(), 0);
  await asked.server.connection.sendNotification('pinnace/trust', { trusted: true });
  await isRead(asked);
  for (let turn = 0; turn < 5; turn++) await asked.tags();
  assert.equal(cave.starts(), 1);
});

for (const [what, script, wanted] of [
  ['fails', 'echo hunter2; exit 3', /docker-credential-cave ended with status 3/],
  ['hangs', 'exec sleep 60', /docker-credential-cave does not run/],
] as const) {
  test(`what everybody may see comes though the credential helper ${what}`, async () => {
    const tokens = await startTokenServer(authority);
    stops.push(() => {
      tokens.stop();
    });
    const address = await registryWith({ auth: tokens.auth });
    trust(address);
    dockerConfig({ credsStore: 'cave' });
    const cave = helper(script);
    const asked = await serverFor(address, { env: cave.env });
    await isTold(asked, wanted);
    assert.ok(cave.starts() <= 5, `${String(cave.starts())} starts`);
    await asked.server.awaited(async () => (await asked.tags()).includes('1.9'));
  });
}

test('a wrong login is told without its secret', async () => {
  const address = await registryWith();
  trust(address);
  const auth = Buffer.from('ali:hunter2').toString('base64');
  dockerConfig({ auths: { [address]: { auth } } });
  const asked = await serverFor(address);
  await isTold(asked, /does not accept the login for fleet\/app/);
  assert.ok(!asked.log.join().includes(auth));
});

test("a client that keeps the user's logins is asked for them, and docker is not", async () => {
  const address = await registryWith();
  trust(address);
  dockerConfig({ credsStore: 'cave' });
  const cave = helper('exit 1');
  const hosts: unknown[] = [];
  const asked = await serverFor(address, {
    env: cave.env,
    capabilities: { experimental: { registryLogins: true } },
    prepare: (connection) => {
      connection.onRequest('pinnace/registryLogin', (params: unknown) => {
        hosts.push(params);
        return { username: 'ali', secret: SECRET };
      });
    },
  });
  await isRead(asked);
  assert.deepEqual(hosts, [{ host: address }]);
  assert.equal(cave.starts(), 0);
});

test('a registry that asks who we are is shown the certificate that is kept for it', async () => {
  const address = await registryWith({ clients: authority.ca });
  trust(address);
  dockerConfig({ auths: { [address]: { auth: AUTH } } });
  const refused = await serverFor(address);
  await isTold(refused, /cannot be reached|is not trusted/);
  copyFileSync(authority.certificate, join(trustFolder(address), 'client.cert'));
  const broken = await serverFor(address);
  await isTold(broken, /client\.cert is of no use without client\.key beside it/);
  copyFileSync(authority.key, join(trustFolder(address), 'client.key'));
  await isRead(await serverFor(address));
});

test('a registry that the settings of the engine call insecure is read behind any certificate', async () => {
  const address = await registryWith();
  dockerConfig({ auths: { [address]: { auth: AUTH } } });
  mkdirSync(join(home, 'data'));
  const settings = { insecureRegistries: [address] };
  writeFileSync(join(home, 'data', 'config.json'), JSON.stringify(settings));
  await isRead(await serverFor(address));
});

test('a registry behind a proxy is asked through it, and one of this machine is not', async () => {
  const address = await registryWith();
  const targets: string[] = [];
  const proxy = createServer((_, answer) => void answer.writeHead(500).end());
  proxy.on('connect', ({ url = '' }, client: Socket) => {
    targets.push(url);
    const [host, port] = address.split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    stops.push(() => client.destroy());
  });
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
  stops.push(() => proxy.close());
  const port = (proxy.address() as AddressInfo).port;
  mkdirSync(join(home, 'data'));
  const settings = { insecureRegistries: ['ships.test', address] };
  writeFileSync(join(home, 'data', 'config.json'), JSON.stringify(settings));
  const auths = { 'ships.test': { auth: AUTH }, [address]: { auth: AUTH } };
  dockerConfig({ auths });
  const env = { HTTPS_PROXY: `http://127.0.0.1:${String(port)}` };
  await isRead(await serverFor('ships.test', { env }));
  assert.deepEqual([...new Set(targets)], ['ships.test:443']);
  targets.length = 0;
  await isRead(await serverFor(address, { env }));
  assert.deepEqual(targets, []);
});

test("the mirror of a registry is asked first and without the user's login, then the registry", async () => {
  const plain = await startRegistry(storage);
  stops.push(() => plain.stop());
  const seen: (string | undefined)[] = [];
  const mirror = await listen(({ url = '', headers }, answer) => {
    seen.push(headers.authorization);
    assert.match(url, /^\/hub\/v2\//);
    answer.writeHead(url.includes('/tags/') ? 307 : 401, {
      location: `${plain.url}${url.slice('/hub'.length)}`,
      'www-authenticate': 'Basic realm="x"',
    });
    answer.end();
  });
  dockerConfig({ auths: { [plain.address]: { auth: AUTH } } });
  const env = { PINNACE_REGISTRY_MIRROR: `${plain.address}=http://${mirror}/hub` };
  await isRead(await serverFor(plain.address, { env }));
  assert.ok(seen.length >= 2, String(seen.length));
  assert.deepEqual([...new Set(seen)], [undefined]);
});

test('a redirect to another host takes no login along', async () => {
  const seen: (string | undefined)[] = [];
  const elsewhere = await listen(({ headers }, answer) => {
    seen.push(headers.authorization);
    answer.end('{"tags": ["1.9"]}');
  });
  const proofs: (string | undefined)[] = [];
  const address = await listen(({ url = '', headers }, answer) => {
    proofs.push(headers.authorization);
    if (headers.authorization === undefined)
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    else answer.writeHead(307, { location: `http://${elsewhere}${url}` }).end();
  });
  dockerConfig({ auths: { [address]: { auth: AUTH } } });
  const { server, tags } = await serverFor(address);
  await server.awaited(async () => (await tags()).includes('1.9'));
  assert.ok(proofs.includes(`Basic ${AUTH}`));
  assert.deepEqual([...new Set(seen)], [undefined]);
});

const FAULTS: readonly (readonly [string, RequestListener, RegExp])[] = [
  ['answers 500', (_, answer) => void answer.writeHead(500).end(SECRET), /answers 500/],
  ['breaks off', (_, answer) => void answer.writeHead(200).end('{"tags": ["1.'), /is not JSON/],
  [
    'promises more than it gives',
    (request, answer) => {
      answer.writeHead(200, { 'content-length': '1000' });
      answer.write('{"tags": [');
      setTimeout(() => request.socket.destroy(), 50);
    },
    /broke off/,
  ],
  [
    'sends the login to a file',
    (_, answer) =>
      void answer.writeHead(401, { 'www-authenticate': 'Bearer realm="file:///etc/x"' }).end(),
    /sends elsewhere/,
  ],
  [
    'asks for a login again and again',
    (_, answer) => void answer.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    /does not accept the login/,
  ],
];

for (const [what, handler, wanted] of FAULTS) {
  test(`a registry that ${what} is told once, and holds no answer up`, async () => {
    const address = await listen(handler);
    dockerConfig({ auths: { [address]: { auth: AUTH } } });
    await isTold(await serverFor(address), wanted);
  });
}
