/** Starts Debian's docker-registry on loopback behind TLS, with an authority of its own, open or with logins by token. */
import { execFileSync, spawn } from 'node:child_process';
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './network.ts';

/** An authority, and a certificate of its for 127.0.0.1: paths of PEM files. */
export interface Authority {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority in a folder, with `openssl`. */
export function makeAuthority(folder: string): Authority {
  mkdirSync(folder, { recursive: true });
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const of = (name: string): string[] => ['-subj', `/CN=${name}`, '-out', `${name}.pem`];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', ...of('ca'));
  const own = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  openssl('req', '-x509', ...key, '-keyout', 'server.key', ...own, ...leaf, ...of('server'));
  const at = (name: string): string => join(folder, name);
  return { ca: at('ca.pem'), certificate: at('server.pem'), key: at('server.key') };
}

export interface TlsRegistry {
  /** host:port. */
  readonly address: string;
  stop(): Promise<void>;
}

export interface TlsSettings {
  readonly authority: Authority;
  /** YAML below `auth:`. */
  readonly auth?: string;
  /** Clients must show a certificate of this authority: a path. */
  readonly clients?: string;
}

/** Serves what is in `dir` (a registry's storage) over TLS, until `stop`. */
export async function startTlsRegistry(
  dir: string,
  { authority, auth, clients }: TlsSettings,
): Promise<TlsRegistry> {
  const { certificate, key, ca } = authority;
  const port = await freePort();
  const config = join(dir, `tls-${String(port)}.yml`);
  const asks = clients === undefined ? '' : `, clientcas: [${clients}]`;
  const lines = [
    'version: 0.1',
    'log: {level: error, accesslog: {disabled: true}}',
    `storage: {filesystem: {rootdirectory: ${dir}}}`,
    `http: {addr: '127.0.0.1:${String(port)}', tls: {certificate: ${certificate}, key: ${key}${asks}}}`,
    ...(auth === undefined ? [] : [`auth: ${auth}`]),
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => {
      resolve();
    });
    child.once('exit', () => {
      resolve();
    });
  });
  for (let tries = 0; !(await accepts(port, ca)); tries++) {
    if (tries > 200 || child.exitCode !== null)
      throw new Error(`docker-registry does not serve ${config}; run it by hand to see why`);
    await delay(50);
  }
  return {
    address: `127.0.0.1:${String(port)}`,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

function accepts(port: number, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { port, host: '127.0.0.1', ca: readFileSync(ca) };
    const socket = connect(options, () => {
      socket.end();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });
}

export interface TokenServer {
  /** YAML below `auth:` of a registry that believes this server. */
  readonly auth: string;
  /** The scopes that were asked for. */
  readonly asked: readonly string[];
  stop(): void;
}

/** Gives everybody the right to pull, as the token server of a public registry does (distribution token specification). */
export async function startTokenServer(authority: Authority): Promise<TokenServer> {
  const asked: string[] = [];
  const [key, cert] = [readFileSync(authority.key), readFileSync(authority.certificate)];
  const server: Server = createServer({ key, cert }, ({ url = '' }, answer) => {
    const scope = new URL(url, 'https://x').searchParams.get('scope') ?? '';
    asked.push(scope);
    answer.end(JSON.stringify({ token: tokenFor(scope, authority) }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const realm = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}/token`;
  const { certificate } = authority;
  return {
    auth: `{token: {realm: '${realm}', service: ships, issuer: harbour, rootcertbundle: ${certificate}}}`,
    asked,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A JSON web token (RFC 7519) that a registry with this root believes. */
function tokenFor(scope: string, { key, certificate }: Authority): string {
  const now = Math.floor(Date.now() / 1000);
  const [type = '', name = '', actions = ''] = scope.split(':');
  const access = scope === '' ? [] : [{ type, name, actions: actions.split(',') }];
  const der = new X509Certificate(readFileSync(certificate)).raw;
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const header = encode({ typ: 'JWT', alg: 'RS256', x5c: [der.toString('base64')] });
  const claims = encode({
    ...{ iss: 'harbour', sub: '', aud: 'ships', jti: randomUUID(), access },
    ...{ iat: now, nbf: now - 10, exp: now + 300 },
  });
  const text = `${header}.${claims}`;
  const signed = sign('RSA-SHA256', Buffer.from(text), createPrivateKey(readFileSync(key)));
  return `${text}.${signed.toString('base64url')}`;
}
