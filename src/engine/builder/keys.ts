/**
 * Cache keys. Theory of operation: a stage carries two chains of keys. The *file key* stands for a state of the file
 * system: the base image's id, then for each step that touches files a hash of the key before it and of everything that
 * can change what the step makes (resolved words, environment, content hashes of what COPY really takes). The *step
 * key* adds the configuration, so that a LABEL in the middle never makes the RUN behind it run again.
 *
 * What is left out on purpose: file times, names of builds and tags, proxy arguments, the number and text of steps.
 */
import { createHash } from 'node:crypto';
import type { CopyAction, RunAction, RunMount, Source, Step, WorkdirAction } from './plan/graph.ts';

/** Changes whenever the meaning of keys changes, so that old rows are never taken for new ones. */
const VERSION = 1;

export type Key = string;

/** 64 hexadecimal digits of the JSON form of the parts. */
export function hashParts(...parts: readonly unknown[]): Key {
  return createHash('sha256')
    .update(JSON.stringify([VERSION, ...parts]))
    .digest('hex');
}

/** The key of a stage's beginning. An image counts by its id, never by its name or by claims in its configuration. */
export function baseKey(imageId: string | null): Key {
  return imageId === null ? hashParts('scratch') : hashParts('image', imageId);
}

/** What a source holds, as far as a step uses it: content hashes, or the chain id of a whole tree. */
export type SourceContent = string | readonly unknown[];

export function runKey(
  parent: Key,
  action: RunAction,
  mounts: readonly { mount: RunMount; content: SourceContent | null }[],
): Key {
  return hashParts('run', parent, {
    args: action.args,
    env: action.env,
    cwd: action.cwd,
    user: action.user,
    network: action.network,
    script: action.script ?? null,
    mounts: mounts.map(({ mount, content }) => mountKey(mount, content)),
  });
}

/** The content of a cache mount never counts: it may be lost at any time. */
function mountKey(mount: RunMount, content: SourceContent | null): unknown {
  if (mount.type !== 'bind') return mount;
  const { type, path, target, readonly } = mount;
  return { type, path, target, readonly, content };
}

export function copyKey(parent: Key, action: CopyAction, content: SourceContent): Key {
  const { verb, patterns, files, dest, destIsDir, chown, chmod, unpack, parents, excludes } =
    action;
  const words = { verb, patterns, files, dest, destIsDir, unpack, parents, excludes };
  return hashParts(
    'copy',
    parent,
    words,
    chown ?? null,
    chmod ?? null,
    sourceKind(action.source),
    content,
  );
}

function sourceKind(source: Source): string {
  return source.kind === 'context' ? 'context' : 'tree';
}

export function workdirKey(parent: Key, action: WorkdirAction): Key {
  return hashParts('workdir', parent, action.path, action.owner ?? null);
}

/** The key of the configuration after a step, above everything before it. */
export function stepKey(before: Key, fileKey: Key, step: Step): Key {
  return hashParts('step', before, fileKey, step.createdBy, step.config, step.author ?? null);
}
