/** Lists what rules ask for in a shell tree, in one walk: commands, words, their parts, pipelines and and/or lists. */
import type { ScriptUse } from '../../shell/scripts.ts';
import type {
  Command,
  Logical,
  Pipeline,
  Redirect,
  Sequence,
  ShellWord,
} from '../../shell/syntax.ts';
import { type Surroundings, visitShell } from '../../shell/walk.ts';
import type { Instruction, Word } from '../../syntax.ts';
import type { PlacedPart, Script, ShellCall, WordUse } from './script.ts';
import { unwrapCall } from './wrappers.ts';

/** The contents of a script; undefined for a language that is not read. */
export function collectScript({
  instruction,
  script: tree,
  shell,
  form,
}: Omit<ScriptUse, 'stage'>): Script | undefined {
  if (tree === undefined) return undefined;
  const calls: ShellCall[] = [];
  const words: WordUse[] = [];
  const parts: PlacedPart[] = [];
  const pipelines: Pipeline[] = [];
  const logicals: Logical[] = [];
  const redirects: Redirect[] = [];
  const commands: Command[] = [];
  const { dialect } = shell;
  const heredoc = form === 'heredoc';
  const script: Script = {
    instruction,
    shell,
    dialect,
    tree,
    heredoc,
    calls,
    words,
    parts,
    pipelines,
    logicals,
    redirects,
    commands,
  };
  let word: WordUse | undefined;
  visitShell(tree, {
    sequence: (sequence) => listNodes(sequence, { pipelines, logicals }),
    command: (command, place) => {
      commands.push(command);
      calls.push(...callsOf(command, { script, place }));
    },
    word: (each, role, owner) => {
      word = { word: each, role, owner };
      words.push(word);
    },
    part: (part, use) => parts.push({ part, ...use, word }),
    redirect: (redirect) => redirects.push(redirect),
  });
  return script;
}

function listNodes(
  { items }: Sequence,
  { pipelines, logicals }: { pipelines: Pipeline[]; logicals: Logical[] },
): void {
  for (const { node } of items) {
    if (node.kind === 'pipeline') pipelines.push(node);
    if (node.kind !== 'logical') continue;
    logicals.push(node);
    for (const part of node.parts) if (part.kind === 'pipeline') pipelines.push(part);
  }
}

/** The call that a command is, and those that it makes through sudo and the like. */
function callsOf(
  command: Command,
  { script, place }: { script: Script; place: Surroundings },
): ShellCall[] {
  if (command.kind !== 'simple' || command.name === undefined) return [];
  const call = callOf(script.instruction, command.name, command.arguments);
  return unwrapAll({ ...call, script, command, place });
}

function unwrapAll(call: ShellCall): ShellCall[] {
  const calls = [call];
  for (let inner = unwrapCall(call); inner !== undefined; inner = unwrapCall(inner)) {
    calls.push(inner);
    if (calls.length >= WRAPPED_LIMIT) break;
  }
  return calls;
}

/** More wrappers around each other than anyone writes; each call holds the words behind it. */
const WRAPPED_LIMIT = 10;

function callOf(
  instruction: Instruction,
  nameWord: ShellWord,
  words: readonly ShellWord[],
): ShellCall {
  const { value } = nameWord;
  return {
    instruction,
    script: undefined,
    name: value === undefined ? '' : value.slice(value.lastIndexOf('/') + 1),
    nameWord,
    arguments: words,
    command: undefined,
    behind: undefined,
    place: undefined,
    range: { start: nameWord.range.start, end: (words.at(-1) ?? nameWord).range.end },
  };
}

/** RUN's exec form as calls. */
export function execCalls(instruction: Instruction): ShellCall[] {
  if (instruction.kind !== 'RUN' || instruction.command.form !== 'exec') return [];
  const [nameWord, ...rest] = instruction.command.words.map(wordOf);
  return nameWord === undefined ? [] : unwrapAll(callOf(instruction, nameWord, rest));
}

function wordOf({ text, range }: Word): ShellWord {
  const part = { kind: 'literal', text, range } as const;
  return { kind: 'word', text, value: text, parts: [part], braces: [], range };
}
