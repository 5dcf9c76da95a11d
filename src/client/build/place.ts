/**
 * What the files around a Dockerfile say of its build: the context, target and arguments that a devcontainer.json or a
 * compose file gives it. Reads only; small files, near ones, and never what a link hides.
 */
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { parse } from 'jsonc-parser';
import { readCompose, type Service } from '../../lib/compose/compose.ts';
import { isRecord } from '../../lib/record.ts';
import { type Disk, DISK } from './disk.ts';

export interface BuildPlace {
  /** Absolute. */
  readonly context: string;
  readonly target: string | undefined;
  /** What the file says; a value that the environment gives is left out. */
  readonly args: Readonly<Record<string, string>>;
  /** The file that says so, absolute; undefined: nothing does, the context is the Dockerfile's folder. */
  readonly source: string | undefined;
  /** The compose service, where it is one. */
  readonly service: string | undefined;
}

const SIZE_LIMIT = 1024 * 1024;
const HEIGHT_LIMIT = 6;
const COMPOSE = /^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/;
const COMPOSE_LIMIT = 20;

export interface SearchOptions {
  /** No folder above it is looked at. */
  readonly ceiling?: string;
  /** Default: the disk as it is. */
  readonly disk?: Disk;
}

/** All that is said of a Dockerfile, the nearest first, the plain folder last. */
export function buildPlaces(
  dockerfile: string,
  { ceiling, disk = DISK }: SearchOptions = {},
): readonly BuildPlace[] {
  const path = resolve(dockerfile);
  const found: BuildPlace[] = [];
  let folder = dirname(path);
  for (let height = 0; height < HEIGHT_LIMIT; height++) {
    const names = disk.names(folder);
    const place = { folder, names, dockerfile: path, disk };
    found.push(...devContainers(place), ...composeFiles(place));
    const above = dirname(folder);
    if (above === folder || folder === ceiling || names.includes('.git')) break;
    folder = above;
  }
  const plain = { target: undefined, args: {}, source: undefined, service: undefined };
  const seen = new Set<string>();
  return [...found, { context: dirname(path), ...plain }].filter((place) => {
    const key = JSON.stringify([place.context, place.target, place.args]);
    return !seen.has(key) && seen.add(key);
  });
}

/** The likeliest one. */
export function buildPlace(dockerfile: string, options: SearchOptions = {}): BuildPlace {
  const [first] = buildPlaces(dockerfile, options);
  const plain = { target: undefined, args: {}, source: undefined, service: undefined };
  return first ?? { context: dirname(resolve(dockerfile)), ...plain };
}

interface Folder {
  readonly folder: string;
  readonly names: readonly string[];
  /** Absolute. */
  readonly dockerfile: string;
  readonly disk: Disk;
}

function devContainers({ folder, names, dockerfile, disk }: Folder): BuildPlace[] {
  const files = ['devcontainer.json', '.devcontainer.json', '.devcontainer/devcontainer.json'];
  return files.flatMap((name) => {
    const file = join(folder, name);
    const text = names.includes(name.replace(/\/.*/, '')) ? readSmall(file, disk) : undefined;
    if (text === undefined) return [];
    const config: unknown = parse(text, [], { allowTrailingComma: true });
    const build = isRecord(config) && isRecord(config['build']) ? config['build'] : undefined;
    const named = build?.['dockerfile'];
    if (typeof named !== 'string' || resolve(dirname(file), named) !== dockerfile) return [];
    const context = typeof build?.['context'] === 'string' ? build['context'] : '.';
    const target = typeof build?.['target'] === 'string' ? build['target'] : undefined;
    const args = isRecord(build?.['args']) ? Object.entries(build['args']) : [];
    const given = args.filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && !entry[1].includes('${'),
    );
    const place = { context: resolve(dirname(file), context), target };
    return [{ ...place, args: Object.fromEntries(given), source: file, service: undefined }];
  });
}

function composeFiles({ folder, names, dockerfile, disk }: Folder): BuildPlace[] {
  const files = names.filter((name) => COMPOSE.test(name));
  return files.slice(0, COMPOSE_LIMIT).flatMap((name) => {
    const file = join(folder, name);
    return servicesOf(file, disk).flatMap(({ name: service, build }): BuildPlace[] => {
      if (build === undefined || /^[a-z+]+:\/\/|^git@/.test(build.context)) return [];
      const context = isAbsolute(build.context) ? build.context : resolve(folder, build.context);
      if (resolve(context, build.dockerfile ?? 'Dockerfile') !== dockerfile) return [];
      const args = [...build.args].filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      const place = { context, target: build.target, args: Object.fromEntries(args) };
      return [{ ...place, source: file, service }];
    });
  });
}

/** Services of the files read last, by path: a linter asks again and again, and large YAML is dear. */
const read = new Map<string, { readonly stamp: string; readonly services: readonly Service[] }>();
const READ_LIMIT = 50;

function servicesOf(file: string, disk: Disk): readonly Service[] {
  const entry = disk.entry(file);
  if (entry?.kind !== 'file') return [];
  const { stamp } = entry;
  const known = read.get(file);
  if (known?.stamp === stamp) return known.services;
  const text = readSmall(file, disk);
  const services = text === undefined ? [] : readCompose(text, () => undefined).services;
  read.delete(file);
  read.set(file, { stamp, services });
  for (const oldest of read.keys()) if (read.size > READ_LIMIT) read.delete(oldest);
  return services;
}

/** `service web of compose.yaml` for people; the name of the file alone for the others. */
export function describePlace({ source, service }: BuildPlace): string {
  if (source === undefined) return "the Dockerfile's folder";
  return service === undefined ? basename(source) : `service ${service} of ${basename(source)}`;
}

function readSmall(path: string, disk: Disk): string | undefined {
  const entry = disk.entry(path);
  return entry?.kind === 'file' && entry.size <= SIZE_LIMIT ? disk.text(path) : undefined;
}
