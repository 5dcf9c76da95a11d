/** JSONArgsRecommended: CMD and ENTRYPOINT are JSON arrays, so that signals reach the program and not a shell. */
import type { CommandInstruction } from '../../../syntax.ts';
import { replace, suggestedFix } from '../../edits.ts';
import type { Fix, Rule, Scope } from '../../rule.ts';

export const jsonArgsRecommended: Rule = {
  id: 'JSONArgsRecommended',
  aliases: ['DL3025'],
  severity: 'warning',
  summary: 'CMD and ENTRYPOINT are JSON arrays',
  fixable: true,
  checks: { CMD: check, ENTRYPOINT: check },
};

function check(instruction: CommandInstruction, scope: Scope): void {
  const { command, kind } = instruction;
  if (
    command.form === 'exec' ||
    command.command.text === '' ||
    command.command.text.startsWith('[')
  )
    return;
  const { stage, facts, report } = scope;
  // A SHELL of one's own says that the shell is wanted.
  if (stage !== undefined && facts.hasOwnShell(stage, instruction)) return;
  const { text, range } = command.command;
  const fix = arrayFix(text, range);
  report({
    message: `as plain text ${kind} runs in a shell, which keeps signals from the program: use a JSON array`,
    range: instruction.keyword.range,
    ...(fix === undefined ? {} : { fix }),
  });
}

/** The array of a command line that needs no shell: plain words, and quoted ones without anything special in them. */
function arrayFix(text: string, range: { start: number; end: number }): Fix | undefined {
  const line = text.replace(/^exec\s+/, '');
  const words: string[] = [];
  const pattern =
    /\s*(?:"([^"$`\\]*)"|'([^']*)'|([^\s"'$`\\|&;<>()*?[\]{}~#!=]+(?:=[^\s"'$`\\|&;<>()*?[\]{}~#!]*)?))(?=\s|$)/y;
  while (pattern.lastIndex < line.trimEnd().length) {
    const match = pattern.exec(line);
    if (match === null) return undefined;
    words.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  const [first] = words;
  if (first === undefined || first.includes('=') || BUILT_IN.has(first)) return undefined;
  const array = `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
  return suggestedFix('Change to a JSON array', replace(range, array));
}

/** What only a shell can run. */
const BUILT_IN = new Set([
  '.',
  ':',
  'cd',
  'eval',
  'exec',
  'exit',
  'export',
  'read',
  'set',
  'source',
  'trap',
  'ulimit',
  'umask',
  'wait',
  'if',
  'for',
  'while',
  'case',
]);
