// Serves the base images from Debian's docker-registry on loopback, as a mirror of docker.io. It owns the registry process that it starts.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ensurePackages } from './debian.ts';
import { archiveOf, IMAGES_DIR, makeImages } from './images.ts';
import { must, run } from './shell.ts';

export interface Registry {
  /** e.g. http://127.0.0.1:41234 */
  readonly url: string;
  /** host:port, for image names. */
  readonly address: string;
  stop(): Promise<void>;
}

export interface RegistrySettings {
  /** Lines `user:bcrypt`; everybody needs a login then. */
  readonly htpasswd?: string;
}

/** Starts a registry over `dir` on a free loopback port and waits until it answers. */
export async function startRegistry(
  dir: string,
  port?: number,
  { htpasswd }: RegistrySettings = {},
): Promise<Registry> {
  await ensurePackages(['docker-registry']);
  mkdirSync(dir, { recursive: true });
  const chosen = port ?? (await freePort());
  const address = `127.0.0.1:${chosen}`;
  const config = join(dir, `config-${chosen}.yml`);
  const users = join(dir, `users-${chosen}`);
  if (htpasswd !== undefined) writeFileSync(users, htpasswd, { mode: 0o600 });
  const auth = htpasswd === undefined ? '' : `auth: {htpasswd: {realm: test, path: ${users}}}\n`;
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${dir}}, delete: {enabled: true}}\nhttp: {addr: '${address}'}\n${auth}`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  await answering(`http://${address}/v2/`, () => child.exitCode !== null);
  return {
    url: `http://${address}`,
    address,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** A registry with the base images under `library/`, as docker.io has them; pushed once and kept in the cache. */
export async function serveImages(port?: number): Promise<Registry> {
  const images = await makeImages();
  await ensurePackages(['skopeo']);
  const dir = join(IMAGES_DIR, 'registry');
  const registry = await startRegistry(dir, port);
  for (const [name, archive] of images) {
    const mark = join(dir, `${archiveOf(name).split('/').at(-1) ?? ''}.pushed`);
    if (existsSync(mark)) continue;
    await must(
      'skopeo',
      [
        'copy',
        '--quiet',
        '--insecure-policy',
        '--dest-tls-verify=false',
        `docker-archive:${archive}`,
        `docker://${registry.address}/library/${name}`,
      ],
      { output: 'collect' },
    );
    writeFileSync(mark, '');
  }
  return registry;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}

async function answering(url: string, gone: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (gone()) throw new Error('docker-registry ended at once; run it by hand to see why');
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true || answer?.status === 401) return;
    await run('sleep', ['0.05']);
  }
  throw new Error(`docker-registry does not answer at ${url}`);
}
