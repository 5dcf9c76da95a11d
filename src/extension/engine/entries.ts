/** The engines that can be had on this machine: sockets, DOCKER_HOST, Docker's contexts, and those named in the settings. Connects to none. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TlsFiles } from '../../client/api/addresses.ts';
import type { EngineEntry } from './engines.ts';

/** An entry and how to reach it. */
export interface Found {
  readonly entry: EngineEntry;
  readonly tls?: TlsFiles;
  /** From the setting `pinnace.engines`: can be removed. */
  readonly own: boolean;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  /** The value of the setting `pinnace.engines`, unchecked. */
  readonly setting: unknown;
}

/** The bundled engine is not among them. By address, each once; the settings come first since they carry the user's names. */
export async function findEngines(around: Surroundings): Promise<Found[]> {
  const [sockets, contexts] = await Promise.all([socketEngines(around), contextEngines(around)]);
  const all = [...settingEngines(around.setting), ...hostEngine(around), ...sockets, ...contexts];
  const byAddress = new Map<string, Found>();
  for (const found of all) {
    const { address } = found.entry;
    if (!byAddress.has(address)) byAddress.set(address, found);
  }
  return [...byAddress.values()];
}

/** Entries `{name, address, tls?}` of the setting; what has another form is left out (the settings editor marks it). */
export function settingEngines(setting: unknown): Found[] {
  if (!Array.isArray(setting)) return [];
  return setting.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return [];
    const address = textOf(item, 'address');
    if (address === undefined) return [];
    const tls = tlsOf(Reflect.get(item, 'tls'));
    const label = textOf(item, 'name') ?? address;
    const entry: EngineEntry = { id: address, label, kind: 'other', address };
    return [{ entry, own: true, ...(tls === undefined ? {} : { tls }) }];
  });
}

function textOf(item: object, key: string): string | undefined {
  const value: unknown = Reflect.get(item, key);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function tlsOf(value: unknown): TlsFiles | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const files = (['ca', 'cert', 'key'] as const).flatMap((key) => {
    const path = textOf(value, key);
    return path === undefined ? [] : [[key, path] as const];
  });
  return Object.fromEntries(files);
}

function hostEngine({ env }: Surroundings): Found[] {
  const address = env['DOCKER_HOST']?.trim() ?? '';
  if (address === '') return [];
  const folder = env['DOCKER_CERT_PATH'] ?? '';
  const verify = (env['DOCKER_TLS_VERIFY'] ?? '') !== '' && folder !== '';
  const tls = {
    ca: join(folder, 'ca.pem'),
    cert: join(folder, 'cert.pem'),
    key: join(folder, 'key.pem'),
  };
  const entry: EngineEntry = { id: address, label: 'DOCKER_HOST', kind: 'docker', address };
  return [{ entry, own: false, ...(verify ? { tls } : {}) }];
}

/** Sockets at their usual places, where there are any. */
async function socketEngines({ env, uid }: Surroundings): Promise<Found[]> {
  const session = env['XDG_RUNTIME_DIR'] ?? `/run/user/${String(uid)}`;
  const places = [
    ['Docker', 'docker', '/var/run/docker.sock'],
    ['Docker (rootless)', 'docker', join(session, 'docker.sock')],
    ['Podman', 'podman', join(session, 'podman', 'podman.sock')],
    ['Podman (system)', 'podman', '/run/podman/podman.sock'],
  ] as const;
  const found = await Promise.all(
    places.map(async ([label, kind, path]): Promise<Found[]> => {
      const facts = await stat(path).catch(() => undefined);
      const address = `unix://${path}`;
      return facts?.isSocket() === true
        ? [{ entry: { id: address, label, kind, address }, own: false }]
        : [];
    }),
  );
  return found.flat();
}

/** Docker's contexts: `contexts/meta/<hash>/meta.json` beneath its configuration, TLS files beside them. */
async function contextEngines({ env }: Surroundings): Promise<Found[]> {
  const folder = join(
    env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? homedir(), '.docker'),
    'contexts',
  );
  const ids = await readdir(join(folder, 'meta')).catch(() => []);
  const found = await Promise.all(
    ids.map(async (id): Promise<Found[]> => {
      const text = await readFile(join(folder, 'meta', id, 'meta.json'), 'utf8').catch(() => '');
      const context = parseContext(text);
      if (context === undefined) return [];
      const tls = await tlsFolder(join(folder, 'tls', id, 'docker'));
      const { name, address } = context;
      const entry: EngineEntry = { id: address, label: name, kind: 'docker', address };
      return [{ entry, own: false, ...(tls === undefined ? {} : { tls }) }];
    }),
  );
  return found.flat().sort((a, b) => a.entry.label.localeCompare(b.entry.label));
}

/** Name and address in a context's meta.json; undefined for what is no such file, or no address that we speak. */
export function parseContext(text: string): { name: string; address: string } | undefined {
  try {
    const meta = JSON.parse(text) as {
      Name?: unknown;
      Endpoints?: { docker?: { Host?: unknown } };
    } | null;
    const name = meta?.Name;
    const address = meta?.Endpoints?.docker?.Host;
    if (typeof name !== 'string' || typeof address !== 'string') return undefined;
    return /^(?:unix|tcp|https?|ssh):\/\//.test(address) ? { name, address } : undefined;
  } catch {
    return undefined; // Written by somebody else, half written, or not a context at all.
  }
}

async function tlsFolder(folder: string): Promise<TlsFiles | undefined> {
  const names = new Set(await readdir(folder).catch(() => []));
  const files = (['ca', 'cert', 'key'] as const).filter((key) => names.has(`${key}.pem`));
  if (files.length === 0) return undefined;
  return Object.fromEntries(files.map((key) => [key, join(folder, `${key}.pem`)]));
}
