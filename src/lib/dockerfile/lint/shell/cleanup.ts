/** Makes the rules of package managers that leave something behind: lists and caches that are of no use in an image. */
import type { Mount, RunInstruction } from '../../syntax.ts';
import { safeFix, suggestedFix } from '../edits.ts';
import type { Rule, Scope } from '../rule.ts';
import { appendCommand } from './append.ts';
import type { Script, ShellCall } from './script.ts';

export interface Cleanup {
  /** True for a command that leaves something. */
  readonly leaves: (call: ShellCall) => boolean;
  /** True for a command that takes it away again. */
  readonly cleans: (call: ShellCall) => boolean;
  /** The folders where it lies: a cache or tmpfs mount there keeps it out of the image. */
  readonly folders: readonly string[];
  readonly message: string;
  /** False: what is left may be meant for a later RUN, so that taking it away is a suggestion. */
  readonly settled?: (script: Script) => boolean;
  /** What to run at the end. */
  readonly command: string;
}

/** The hook of such a rule. */
export function cleanupCheck(cleanup: Cleanup): NonNullable<Rule['checks']['script']> {
  return (script, scope) => check(script, scope, cleanup);
}

function check(
  script: Script,
  scope: Scope,
  { leaves, cleans, settled, folders, message, command }: Cleanup,
): void {
  const { instruction, calls } = script;
  if (instruction.kind !== 'RUN' || isMounted(instruction, folders)) return;
  const first = calls.find(leaves);
  if (first === undefined) return;
  const last = calls.findLastIndex(leaves);
  if (calls.slice(last).some(cleans) || !isKept(scope)) return;
  const fixOf = settled?.(script) === false ? suggestedFix : safeFix;
  const edit = appendCommand(script, command, scope);
  scope.report({
    message,
    range: first.range,
    ...(edit === undefined ? {} : { fix: fixOf(`Add ${command}`, edit) }),
  });
}

/** The stage is in the final image: it is the last one, or that is built on it. */
function isKept({ file, stage, facts }: Scope): boolean {
  const target = file.stages.at(-1);
  return target !== undefined && stage !== undefined && facts.chainOf(target).includes(stage);
}

/** One of these folders, or one above or below it, is no part of the image in this RUN. */
export function isMounted({ mounts }: RunInstruction, folders: readonly string[]): boolean {
  const outside = mounts.filter(({ type }) => type === 'cache' || type === 'tmpfs');
  return outside.some((mount) => folders.some((folder) => covers(mount, folder)));
}

function covers({ target }: Mount, folder: string): boolean {
  const path = (target?.text ?? '').replace(/\/+$/, '');
  return (
    path !== '' && (folder.startsWith(path) || path.startsWith(folder) || path.endsWith(folder))
  );
}

/** `rm` of something below a folder, or `find` with `-delete`. */
export function removes({ name, arguments: words }: ShellCall, folder: string): boolean {
  if (name !== 'rm' && !(name === 'find' && words.some(({ text }) => text === '-delete')))
    return false;
  return words.some(({ text }) => text.replaceAll(/["']/g, '').startsWith(folder));
}
