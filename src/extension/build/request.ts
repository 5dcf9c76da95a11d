/** What a build is asked for: the request's shape, what a Dockerfile asks of it, and the checks of what people and tasks write. Pure. */
import type { Dockerfile } from '../../lib/dockerfile/syntax.ts';
import { tryReference } from '../../lib/image/reference.ts';

export interface BuildRequest {
  /** Absolute. */
  readonly dockerfile: string;
  /** Absolute. */
  readonly context: string;
  /** A stage's name or number, '' for the last one. */
  readonly target: string;
  readonly tags: readonly string[];
  readonly args: Readonly<Record<string, string>>;
  /** `os/arch[/variant]`, '' for the engine's own. */
  readonly platform: string;
  readonly noCache: boolean;
  readonly pull: boolean;
}

export interface BuildArgument {
  readonly name: string;
  /** As written, with quotes and variables; undefined: none. */
  readonly preset: string | undefined;
  readonly secret: boolean;
}

/** BuildKit's own: they are set by the engine, never asked for. */
const AUTOMATIC =
  /^(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT|STAGE)$|^(?:https?|ftp|all|no)_proxy$/i;
const SECRET =
  /(^|_)(apikey|auth|credentials?|keys?|passwords?|passphrase|passwd|pword|pwd|secrets?|tokens?|pat)(_|$)/i;

/** True for names whose values are never kept: not in the workspace's memory, not in a record. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name);
}

/** The arguments that a Dockerfile declares, each once; those of the platform are left out. */
export function argumentsOf({ instructions }: Dockerfile): BuildArgument[] {
  const found = new Map<string, BuildArgument>();
  for (const instruction of instructions) {
    if (instruction.kind !== 'ARG') continue;
    for (const { name, value } of instruction.pairs) {
      const known = found.get(name.text);
      if (AUTOMATIC.test(name.text) || !/^\w+$/.test(name.text)) continue;
      const preset = known?.preset ?? value?.text;
      found.set(name.text, { name: name.text, preset, secret: isSecretName(name.text) });
    }
  }
  return [...found.values()];
}

/** What is wrong with a tag, as a sentence; undefined: nothing. */
export function checkTag(text: string): string | undefined {
  if (text === '') return undefined;
  const reference = tryReference(text);
  if (reference === undefined)
    return `“${text}” is no image name: lower-case letters, digits, “.”, “-”, “_” and “/”, then perhaps “:” and a tag.`;
  return reference.digest === undefined ? undefined : 'A name for a new image has no digest.';
}

function checkPlatform(text: string): string | undefined {
  return /^$|^[a-z0-9]+\/[a-z0-9]+(?:\/[a-z0-9.]+)?$/.test(text)
    ? undefined
    : `“${text}” is no platform: write it like linux/amd64 or linux/arm64/v8.`;
}

/** What people call the build: its first tag, else the Dockerfile and its folder. */
export function titleOf({
  tags,
  dockerfile,
  target,
}: Pick<BuildRequest, 'dockerfile' | 'target'> & { readonly tags: readonly string[] }): string {
  const [tag] = tags;
  if (tag !== undefined) return tag;
  const parts = dockerfile.split('/').filter((part) => part !== '');
  const name = parts.slice(-2).join('/');
  return target === '' ? name : `${name} (${target})`;
}

/** Resolves a path of a task against its folder. */
export type ResolvePath = (path: string) => string;

/** Why a task's definition is no request. */
export interface BadTask {
  readonly problem: string;
}

/** A task definition of tasks.json, which anyone may have written, as a request; paths are made absolute by `resolve`. */
export function readTask(
  definition: Readonly<Record<string, unknown>>,
  resolve: ResolvePath,
  around: (dockerfile: string) => Pick<BuildRequest, 'context' | 'target' | 'args'>,
): BuildRequest | BadTask {
  const bad = (name: string, what: string): BadTask => ({
    problem: `The task's “${name}” must be ${what}.`,
  });
  const file = definition['dockerfile'] ?? 'Dockerfile';
  if (typeof file !== 'string' || file === '') return bad('dockerfile', 'the path of a Dockerfile');
  const dockerfile = resolve(file);
  const found = around(dockerfile);
  const { context: folder, target = found.target, platform = '' } = definition;
  const { tags: names = [], args = {}, noCache = false, pull = false } = definition;
  if (folder !== undefined && (typeof folder !== 'string' || folder === ''))
    return bad('context', 'the path of a folder');
  if (typeof target !== 'string') return bad('target', 'the name of a stage');
  if (typeof platform !== 'string') return bad('platform', 'text such as linux/amd64');
  const wrongPlatform = checkPlatform(platform);
  if (wrongPlatform !== undefined) return { problem: wrongPlatform };
  const tags = typeof names === 'string' ? [names] : names;
  if (!isTexts(tags)) return bad('tags', 'a list of image names');
  const wrong = tags.map(checkTag).find((problem) => problem !== undefined);
  if (wrong !== undefined) return { problem: wrong };
  if (!isValues(args)) return bad('args', 'an object of names and texts');
  if (typeof noCache !== 'boolean') return bad('noCache', 'true or false');
  if (typeof pull !== 'boolean') return bad('pull', 'true or false');
  const context = folder === undefined ? found.context : resolve(folder);
  const all = { ...found.args, ...args };
  const given = tags.filter((tag) => tag !== '');
  return { dockerfile, context, target, tags: given, args: all, platform, noCache, pull };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isValues(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item) => typeof item === 'string');
}
