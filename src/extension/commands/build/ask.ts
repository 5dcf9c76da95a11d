/** Asks what a build needs: the Dockerfile, stage, context, tag and arguments, with the last answers as the first choice. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import { imageNameOf } from '../../../client/build/context.ts';
import { type BuildPlace, buildPlaces, describePlace } from '../../../client/build/place.ts';
import { EngineError, messageOf } from '../../../lib/errors.ts';
import { parseDockerfile } from '../../../lib/dockerfile/parse.ts';
import type { Dockerfile } from '../../../lib/dockerfile/syntax.ts';
import {
  argumentsOf,
  type BuildArgument,
  type BuildRequest,
  checkTag,
  isSecretName,
} from '../../build/request.ts';
import { type BuildCandidates, SERVICE } from '../../build/service.ts';
import type { Desk, PickItem } from '../desk.ts';

/** What is known before anything is asked. */
export interface Asked {
  readonly dockerfile: string;
  readonly target?: string;
  readonly context?: string;
  readonly tags?: readonly string[];
  readonly platform?: string;
  /** The image gets no name, and none is asked for. */
  readonly unnamed?: true;
}

/** What is remembered of a Dockerfile's last build; never the value of what looks like a secret. */
interface Remembered {
  readonly target: string;
  readonly tag: string;
  readonly context: string;
  readonly args: Readonly<Record<string, string>>;
}

/** Undefined when the user gave up. Throws `invalid` for a file that does not build. */
export async function askBuild(desk: Desk, asked: Asked): Promise<BuildRequest | undefined> {
  const { dockerfile } = asked;
  const file = await readDockerfile(dockerfile);
  const memory = recall(desk, dockerfile);
  const target = asked.target ?? (await askTarget(desk, file, memory));
  if (target === undefined) return undefined;
  const place = await askContext(desk, asked, memory);
  if (place === undefined) return undefined;
  const isNamed = asked.unnamed !== true;
  const tag = isNamed ? await askTag(desk, asked, { memory, target, place }) : '';
  if (tag === undefined) return undefined;
  const first = { ...place.args, ...memory?.args };
  const args = await askArguments(desk, argumentsOf(file), first);
  if (args === undefined) return undefined;
  const { context } = place;
  if (isNamed) await remember(desk, dockerfile, { target, tag, context, args });
  else if (memory !== undefined) await remember(desk, dockerfile, { ...memory, context, args });
  const tags = tag === '' ? [] : [tag];
  const { platform = '' } = asked;
  return { dockerfile, context, target, tags, args, platform, noCache: false, pull: false };
}

/** The Dockerfile that a command is about: of its argument, the active editor, or picked. */
export async function chooseDockerfile(desk: Desk, argument: unknown): Promise<string | undefined> {
  const given = pathOf(argument);
  if (given !== undefined) return given;
  const { active, files } = (await desk.execute(SERVICE.candidates)) as BuildCandidates;
  if (active !== undefined) return active;
  if (files.length === 0) {
    const message = 'There is no Dockerfile in this window. Open a folder that has one.';
    throw new EngineError('not-found', message);
  }
  const roots = desk.folders();
  const items = files.map((path): PickItem<string> => {
    const root = roots.find((folder) => path.startsWith(`${folder.path}/`));
    const shown = root === undefined ? path : relative(root.path, path);
    const folder = roots.length > 1 ? { description: root?.name ?? '' } : {};
    return { label: shown, value: path, ...folder };
  });
  return items.length === 1 ? items[0]?.value : desk.pick('Build Image: Dockerfile', items);
}

/** Of an address of the explorer, or `{ dockerfile }`. */
function pathOf(argument: unknown): string | undefined {
  if (typeof argument !== 'object' || argument === null) return undefined;
  if ('dockerfile' in argument && typeof argument.dockerfile === 'string')
    return argument.dockerfile;
  const isFile = 'scheme' in argument && argument.scheme === 'file';
  return isFile && 'fsPath' in argument && typeof argument.fsPath === 'string'
    ? argument.fsPath
    : undefined;
}

async function readDockerfile(path: string): Promise<Dockerfile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new EngineError('not-found', `${path} cannot be read: ${messageOf(cause)}`, {
      cause,
      path,
    });
  }
  const file = parseDockerfile(text);
  if (file.stages.length > 0) return file;
  throw new EngineError('invalid', `${path} has no FROM, so there is nothing to build.`, { path });
}

async function askTarget(
  desk: Desk,
  { stages, lines }: Dockerfile,
  memory: Remembered | undefined,
): Promise<string | undefined> {
  const named = stages.filter(({ name }) => name !== undefined);
  const last = stages.at(-1);
  if (stages.length < 2 || named.length === 0 || last === undefined) return '';
  const whole: PickItem<string> = {
    label: 'Whole file',
    description: `to the last stage${last.name === undefined ? '' : `, ${last.name}`}`,
    value: '',
  };
  const items = named.map((stage): PickItem<string> => {
    const line = String(lines.position(stage.from.range.start).line + 1);
    const name = stage.from.name?.text ?? stage.name ?? '';
    return { label: name, description: `FROM ${stage.from.image.text}, line ${line}`, value: name };
  });
  const all = [whole, ...items];
  const before = all.find(({ value }) => value === memory?.target);
  const sorted = before === undefined ? all : [before, ...all.filter((item) => item !== before)];
  return desk.pick('Build Image: stage to build', sorted);
}

async function askContext(
  desk: Desk,
  { dockerfile, context }: Asked,
  memory: Remembered | undefined,
): Promise<BuildPlace | undefined> {
  const folder = desk.folders().find(({ path }) => dockerfile.startsWith(`${path}/`));
  const ceiling = folder === undefined ? dirname(dockerfile) : folder.path;
  const places = buildPlaces(dockerfile, { ceiling });
  const known =
    context === undefined ? undefined : places.find((place) => place.context === context);
  const plain = { target: undefined, args: {}, source: undefined, service: undefined };
  if (known !== undefined || context !== undefined)
    return known ?? { context: context ?? dirname(dockerfile), ...plain };
  const isTop = folder !== undefined && dirname(dockerfile) !== folder.path;
  const more = places.some((place) => place.context === folder?.path);
  const all =
    isTop && !more && places.length > 1 ? [...places, { context: folder.path, ...plain }] : places;
  if (all.length < 2) return all[0];
  const items = all.map((place): PickItem<BuildPlace> => ({
    label: folder === undefined ? place.context : relative(folder.path, place.context) || '.',
    description: `from ${describePlace(place)}`,
    value: place,
  }));
  const before = items.find(({ value }) => value.context === memory?.context);
  const sorted =
    before === undefined ? items : [before, ...items.filter((item) => item !== before)];
  return desk.pick('Build Image: context folder', sorted);
}

interface Known {
  readonly memory: Remembered | undefined;
  readonly target: string;
  readonly place: BuildPlace;
}

async function askTag(
  desk: Desk,
  { tags, dockerfile }: Asked,
  { memory, target, place }: Known,
): Promise<string | undefined> {
  const folder =
    basename(place.context) === '.devcontainer' ? dirname(place.context) : place.context;
  const name = imageNameOf(folder);
  const plain = /^(?:Dockerfile|Containerfile)$/.test(basename(dockerfile));
  const suffix = plain
    ? ''
    : `-${imageNameOf(basename(dockerfile).replace(/\.?(?:dockerfile|containerfile)\.?/i, ''))}`;
  const made = `${name}${suffix === '-workspace' ? '' : suffix}:${target === '' ? 'latest' : target.toLowerCase()}`;
  const value = tags?.[0] ?? (memory?.target === target ? memory.tag : undefined) ?? made;
  return desk.ask({
    title: 'Build Image: tag',
    prompt: 'Name and tag of the image. Empty: an image without a name.',
    placeholder: made,
    value,
    check: checkTag,
  });
}

/** One list that is shown again after each value until the user builds. */
async function askArguments(
  desk: Desk,
  declared: readonly BuildArgument[],
  first: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>> | undefined> {
  const names = new Set(declared.map(({ name }) => name));
  const values = new Map(Object.entries(first).filter(([name]) => names.has(name)));
  while (declared.length > 0) {
    const items: PickItem<BuildArgument | 'build'>[] = [
      { label: '$(play) Build', description: 'with these arguments', value: 'build' },
      ...declared.map((argument) => ({
        label: argument.name,
        description: describeValue(argument, values.get(argument.name)),
        value: argument,
      })),
    ];
    const chosen = await desk.pick('Build Image: arguments', items);
    if (chosen === undefined) return undefined;
    if (chosen === 'build') break;
    const { name, preset, secret } = chosen;
    const value = await desk.ask({
      title: `Build argument ${name}`,
      prompt: secret
        ? 'It is not remembered, but it may stay in the image. RUN --mount=type=secret keeps it out.'
        : 'Empty: the default of the Dockerfile.',
      placeholder: preset ?? '',
      value: secret ? '' : (values.get(name) ?? ''),
      secret,
    });
    if (value === undefined) continue;
    if (value === '') values.delete(name);
    else values.set(name, value);
  }
  return Object.fromEntries(values);
}

function describeValue({ preset, secret }: BuildArgument, value: string | undefined): string {
  if (value !== undefined) return secret ? '••••••' : value;
  return preset === undefined ? 'not set' : `default ${preset}`;
}

const KEY = 'build.';

async function remember(desk: Desk, dockerfile: string, given: Remembered): Promise<void> {
  const kept = Object.entries(given.args).filter(([name]) => !isSecretName(name));
  const value: Remembered = { ...given, args: Object.fromEntries(kept) };
  await desk.workspaceMemory.set(KEY + dockerfile, value);
}

/** What the memory holds may be of an older version of ours. */
function recall(desk: Desk, dockerfile: string): Remembered | undefined {
  const value = desk.workspaceMemory.get(KEY + dockerfile);
  if (typeof value !== 'object' || value === null) return undefined;
  const { target, tag, context, args } = value as Partial<Record<keyof Remembered, unknown>>;
  if (typeof target !== 'string' || typeof tag !== 'string' || typeof context !== 'string')
    return undefined;
  const entries = typeof args === 'object' && args !== null ? Object.entries(args) : [];
  const texts = entries.filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && !isSecretName(entry[0]),
  );
  return { target, tag, context, args: Object.fromEntries(texts) };
}
