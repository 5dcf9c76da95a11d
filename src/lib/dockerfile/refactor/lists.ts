/** What refactorings ask of a shell list: its commands joined by `&&`, and whether one leaves something to the next. */
import type {
  Command,
  Logical,
  Pipeline,
  SequenceItem,
  ShellScript,
  ShellWord,
} from '../shell/syntax.ts';
import { visitShell } from '../shell/walk.ts';

/** A command or pipeline. */
export type Part = Pipeline | Command;

/** The parts of a script that is one `a && b && c`, or one command; undefined for every other. */
export function andParts({ body }: ShellScript): readonly Part[] | undefined {
  const [item] = body.items;
  if (item === undefined || body.items.length > 1) return undefined;
  if (item.terminator === ';' || item.terminator === '&') return undefined;
  return partsOf(item.node);
}

/** The parts of `a && b`, or the one command itself; undefined with `||`. */
export function partsOf(node: SequenceItem['node']): readonly Part[] | undefined {
  if (node.kind !== 'logical') return [node];
  return isAnd(node) ? node.parts : undefined;
}

function isAnd({ operators }: Logical): boolean {
  return operators.every(({ text }) => text === '&&');
}

/** Simple commands only, and a status that is not turned round: `set -e` ends the script where `&&` would. */
export function isPlain(part: Part): boolean {
  if (part.kind !== 'pipeline') return part.kind === 'simple' && !isReader(part.name);
  return !part.negated && part.commands.every((each) => each.kind === 'simple');
}

/** Commands that read others into this shell, in which `set -e` would count too. */
function isReader(name: ShellWord | undefined): boolean {
  return name === undefined || ['.', 'source', 'eval', 'set', 'trap'].includes(name.value ?? '');
}

/** Commands that change the shell which runs them. */
const STATEFUL = new Set([
  '.',
  'alias',
  'builtin',
  'cd',
  'declare',
  'enable',
  'eval',
  'exec',
  'exit',
  'export',
  'getopts',
  'hash',
  'let',
  'local',
  'mapfile',
  'popd',
  'pushd',
  'read',
  'readarray',
  'readonly',
  'return',
  'set',
  'shift',
  'shopt',
  'source',
  'trap',
  'typeset',
  'ulimit',
  'umask',
  'unalias',
  'unset',
  'wait',
]);

/** A part leaves something in its shell that commands behind it would see: a folder, a variable, an option. */
export function leavesState(script: ShellScript, node: SequenceItem['node']): boolean {
  let found = false;
  const { range } = node;
  const whole: ShellScript = {
    ...script,
    body: { kind: 'sequence', items: [{ node, terminator: undefined }], range },
  };
  visitShell(whole, {
    command: (command, { inSubshell, inSubstitution }) => {
      if (!inSubshell && !inSubstitution) found ||= changesShell(command);
    },
    part: (part) => {
      if (part.kind === 'parameter') found ||= part.operator === '=' || part.operator === ':=';
      if (part.kind === 'arithmetic')
        found ||= part.tokens.some((token) => token.kind === 'name' && token.access !== 'read');
    },
  });
  return found;
}

function changesShell(command: Command): boolean {
  switch (command.kind) {
    case 'function':
    case 'arithmetic-command':
    case 'for':
    case 'select':
      return true;
    case 'simple': {
      const { name, arguments: words } = command;
      if (name === undefined) return command.assignments.length > 0;
      if (name.value === undefined) return true; // Whatever a variable names.
      if (STATEFUL.has(name.value)) return true;
      const runs =
        name.value === 'command' ? words.find(({ text }) => !text.startsWith('-')) : undefined;
      if (runs !== undefined) return STATEFUL.has(runs.value ?? '.');
      return name.value === 'printf' && words[0]?.value === '-v';
    }
    default:
      return false;
  }
}

/** The names of simple commands in a script's own shell and below. */
export function callsName(script: ShellScript, names: readonly string[]): boolean {
  let found = false;
  visitShell(script, {
    command: (command) => {
      if (command.kind === 'simple') found ||= names.includes(command.name?.value ?? '');
    },
  });
  return found;
}
