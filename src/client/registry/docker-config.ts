/**
 * Reads the logins that docker keeps: `config.json` and the credential helpers it names, as docker's own
 * documentation of `docker login` describes them. Changes nothing, and runs a helper only when asked for its host.
 */

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EngineError, messageOf } from '../../lib/errors.ts';
import { isRecord } from '../../lib/record.ts';
import type { RegistryLogin } from './session.ts';

export interface DockerConfigOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

const HUB = 'https://index.docker.io/v1/';
const HELPER_LIMIT = 10_000;
const OUTPUT_LIMIT = 1024 * 1024;

/** The login of docker for a registry (`docker.io`, `ghcr.io`); undefined where it has none. Throws EngineError. */
export async function dockerLogin(
  host: string,
  options: DockerConfigOptions,
): Promise<RegistryLogin | undefined> {
  const config = await readConfig(options);
  if (config === undefined) return undefined;
  const helper = helperOf(config, host);
  if (helper !== undefined) return askHelper(helper, host, options);
  const auths = isRecord(config['auths']) ? config['auths'] : {};
  for (const key of keysOf(host)) {
    const entry = auths[key];
    if (isRecord(entry)) {
      const login = loginOf(entry);
      if (login !== undefined) return login;
    }
  }
  return undefined;
}

/** Hosts that docker has a login for, without the secrets; [] where docker keeps none. Throws EngineError. */
export async function dockerHosts(options: DockerConfigOptions): Promise<string[]> {
  const config = await readConfig(options);
  const hosts = new Set<string>();
  for (const key of ['auths', 'credHelpers'] as const) {
    const part = config?.[key];
    if (isRecord(part)) for (const name of Object.keys(part)) hosts.add(hostOf(name));
  }
  return [...hosts].filter((host) => /^[\w.[\]:-]+$/.test(host));
}

async function readConfig({
  env,
}: DockerConfigOptions): Promise<Record<string, unknown> | undefined> {
  // An empty value would lead to where the process happens to be.
  const folder = env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker');
  const path = join(folder, 'config.json');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new EngineError('forbidden', `cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // The parser's message quotes the text, which may hold a secret.
  }
  throw new EngineError('invalid', `${path} is no JSON object`);
}

function helperOf(config: Record<string, unknown>, host: string): string | undefined {
  const own = isRecord(config['credHelpers']) ? config['credHelpers'] : {};
  const named = keysOf(host)
    .map((key) => own[key])
    .find((name) => typeof name === 'string' && name !== '');
  const helper = named ?? config['credsStore'];
  if (typeof helper !== 'string' || helper === '') return undefined;
  if (!/^[\w.-]{1,64}$/.test(helper))
    throw new EngineError('invalid', `docker's config.json names no program: ${helper}`);
  return helper;
}

/** Under which names a host may be kept, the usual first. */
function keysOf(host: string): string[] {
  if (host === 'docker.io') return [HUB, 'docker.io', 'index.docker.io', 'registry-1.docker.io'];
  return [host, `https://${host}`, `https://${host}/v1/`, `https://${host}/v2/`, `http://${host}`];
}

function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

function loginOf(entry: Record<string, unknown>): RegistryLogin | undefined {
  const { auth, identitytoken: token } = entry;
  const text = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString('utf8') : '';
  const colon = text.indexOf(':');
  const username = colon < 0 ? '' : text.slice(0, colon);
  if (typeof token === 'string' && token !== '') return { username, secret: token, identity: true };
  const secret = text.slice(colon + 1).replace(/\0+$/, '');
  return username === '' || secret === '' ? undefined : { username, secret };
}

/** docker-credential-helpers: the host on standard input, `{Username, Secret}` on standard output. */
async function askHelper(
  helper: string,
  host: string,
  options: DockerConfigOptions,
): Promise<RegistryLogin | undefined> {
  for (const key of keysOf(host)) {
    const { status, output } = await runHelper(helper, key, options);
    if (status !== 0) {
      if (/not found/i.test(output)) continue;
      throw new EngineError(
        'unavailable',
        `docker-credential-${helper} ended with status ${String(status)}`,
      );
    }
    const login = helperLogin(output);
    if (login !== undefined) return login;
  }
  return undefined;
}

function helperLogin(output: string): RegistryLogin | undefined {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    return undefined; // The text may hold the secret: it goes into no message.
  }
  if (!isRecord(value)) return undefined;
  const { Username: username, Secret: secret } = value;
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
  if (username === '<token>') return { username: '', secret, identity: true };
  return username === '' ? undefined : { username, secret };
}

function runHelper(
  helper: string,
  host: string,
  { env, signal }: DockerConfigOptions,
): Promise<{ readonly status: number; readonly output: string }> {
  const limit = AbortSignal.timeout(HELPER_LIMIT);
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, ['get'], {
      env: { ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (output.length > OUTPUT_LIMIT) child.kill('SIGKILL');
    });
    child.once('error', (cause) =>
      reject(
        new EngineError(
          'unavailable',
          `docker-credential-${helper} does not run: ${cause.message}`,
          { cause },
        ),
      ),
    );
    child.stdin.on('error', () => undefined);
    child.once('close', (code) => resolve({ status: code ?? 128, output }));
    child.stdin.end(`${host}\n`);
  });
}
