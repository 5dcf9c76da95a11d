/** PosixShell: where /bin/sh runs a script, it has nothing that only bash knows. */
import type { ArithmeticPart, CaseItem, Command, Redirect } from '../../../shell/syntax.ts';
import { insert, replace, safeFix } from '../../edits.ts';
import type { PlacedPart, Script, ShellCall } from '../../shell/script.ts';
import type { LintFinding, Rule, Scope } from '../../rule.ts';

/** Images whose /bin/sh is bash. */
const BASH =
  /(^|\/)(centos|fedora|rockylinux|almalinux|redhat|rhel|ubi\d|oraclelinux|amazonlinux|opensuse|suse|archlinux|photon)/;
/** Images whose /bin/sh is BusyBox's, which knows some of it. */
const ASH = /alpine|busybox/;

/** What a finding is about; BusyBox's shell has those that are marked. */
type Found = LintFinding & { readonly ash?: true };

export const posixShell: Rule = {
  id: 'PosixShell',
  aliases: [
    'SC2039',
    'SC3010',
    'SC3011',
    'SC3014',
    'SC3020',
    'SC3030',
    'SC3037',
    'SC3040',
    'SC3046',
    'SC3057',
    'SC3060',
    'SC2112',
    'SC2113',
    'SC3001',
    'SC3004',
    'SC3006',
    'SC3008',
    'SC3024',
    'SC3028',
    'SC3044',
    'SC3045',
    'SC3053',
    'SC3059',
    'SC3018',
    'SC3019',
    'SC3052',
  ],
  severity: 'warning',
  summary: 'A script of /bin/sh uses no features of bash',
  fixable: true,
  checks: {
    script: (script, scope) => {
      if (script.dialect !== 'sh') return;
      const all = [...findings(script), ...unknownVariables(script, scope)];
      if (all.length === 0) return;
      const image = imageOf(scope);
      if (BASH.test(image)) return;
      const isAsh = ASH.test(image) || script.shell.words[0]?.endsWith('ash') === true;
      for (const { ash, ...finding } of all) if (ash !== true || !isAsh) scope.report(finding);
    },
  },
};

function imageOf({ stage, facts }: Scope): string {
  return stage === undefined ? '' : facts.imageOf(facts.rootOf(stage).from).text;
}

function findings(script: Script): Found[] {
  const all: Found[] = [];
  for (const command of script.commands)
    if (command.kind !== 'simple') all.push(...ofCommand(command));
  all.push(...functionKeywords(script));
  for (const redirect of script.redirects) all.push(...ofRedirect(redirect));
  for (const placed of script.parts)
    if (placed.part.kind !== 'literal') all.push(...ofPart(placed));
  for (const command of script.commands) all.push(...ofAssignments(command));
  for (const call of script.calls) if (NAMES.has(call.name)) all.push(...ofCall(call));
  for (const { word, role } of script.words) {
    if (role === 'argument')
      for (const range of word.braces) all.push(found('{a,b} is not expanded', range));
  }
  for (const { operators } of script.pipelines) {
    for (const { text, range } of operators)
      if (text === '|&') all.push(found('|& is unknown; write 2>&1 |', range));
  }
  return all;
}

function found(message: string, range: LintFinding['range'], more: Partial<Found> = {}): Found {
  return { message: `in POSIX sh, ${message}`, range, ...more };
}

function ofCommand(command: Command): Found[] {
  const { range } = command;
  if (command.kind === 'test') return [found('[[ is unknown; use [', range, { ash: true })];
  if (command.kind === 'arithmetic-command')
    return [found('(( )) is unknown; use [ $((…)) -ne 0 ]', range)];
  if (command.kind === 'case') return command.items.flatMap(ofItem);
  if (command.kind === 'for' && command.header !== undefined)
    return [found('for (( )) is unknown; use while', command.header.range)];
  if (command.kind === 'select') return [found('select is unknown', range)];
  return [];
}

/** The keyword `function`, wherever it begins one. */
function functionKeywords({ commands, tree }: Script): Found[] {
  const starts = new Set<number>();
  for (const { kind, range } of commands) if (kind === 'function') starts.add(range.start);
  if (starts.size === 0) return [];
  return tree.marks
    .filter(({ text, range }) => text === 'function' && starts.has(range.start))
    .map(({ range }) => found('function is unknown; write name() { … }', range, { ash: true }));
}

function ofAssignments(command: Command): Found[] {
  if (command.kind !== 'simple') return [];
  return command.assignments
    .filter(({ append }) => append)
    .map(({ nameRange }) => found('+= is unknown; write name="$name…"', nameRange));
}

/** What only bash gives a value, unless ARG, ENV or the script does. */
const VARIABLES =
  /^(UID|EUID|RANDOM|SECONDS|FUNCNAME|PIPESTATUS|DIRSTACK|OSTYPE|BASH_(SOURCE|REMATCH|LINENO))$/;

function unknownVariables(script: Script, scope: Scope): Found[] {
  if (!/UID|RANDOM|SECONDS|FUNCNAME|PIPESTATUS|DIRSTACK|OSTYPE|BASH_/.test(script.tree.text))
    return [];
  const { stage, facts } = scope;
  const names = new Set<string>();
  for (const each of stage === undefined ? [] : facts.chainOf(stage))
    for (const name of facts.summaryOf(each).names.keys()) names.add(name);
  for (const command of script.commands)
    if (command.kind === 'simple') for (const { name } of command.assignments) names.add(name);
  return script.parts.flatMap(({ part }) => {
    if (part.kind !== 'parameter' || part.operator !== '' || !VARIABLES.test(part.name)) return [];
    const { name, range } = part;
    return names.has(name)
      ? []
      : [found(`${name} is undefined`, range, name === 'RANDOM' ? { ash: true } : {})];
  });
}

function ofItem({ terminator, range: { end } }: CaseItem): Found[] {
  if (terminator !== ';&' && terminator !== ';;&') return [];
  const range = { start: end - terminator.length, end };
  return [found(`${terminator} is unknown; a branch ends with ;;`, range)];
}

function ofRedirect({ operator, operatorRange: range, target, descriptor }: Redirect): Found[] {
  if (operator === '<<<') return [found('<<< is unknown; use a heredoc or a pipe', range)];
  if (operator !== '&>' || target === undefined || descriptor !== '') return [];
  const fix = safeFix('Change to > … 2>&1', replace(range, '>'), insert(target.range.end, ' 2>&1'));
  return [
    found('&> runs the command in the background; write > file 2>&1', range, { fix, ash: true }),
  ];
}

function ofPart({ part }: PlacedPart): Found[] {
  const { range, kind } = part;
  if (kind === 'array') return [found('there are no arrays', range)];
  if (kind === 'process') return [found('<( ) is unknown', range)];
  if (kind === 'double' && part.text.startsWith('$'))
    return [found('$"…" is unknown; drop the dollar', range)];
  if (kind === 'arithmetic') return part.text.startsWith('$') ? ofArithmetic(part) : [];
  if (kind === 'ansi') return [found("$'…' is unknown; use printf", range, { ash: true })];
  if (kind !== 'parameter') return [];
  if (part.prefix === '!') return [found('${!name} is unknown', range)];
  if (part.index !== undefined) return [found('there are no arrays', range)];
  if (/^\/{1,2}[#%]?$/.test(part.operator))
    return [found('${name/…/…} is unknown; use sed', range, { ash: true })];
  if (part.operator === ':')
    return [found('${name:0:1} is unknown; use cut', range, { ash: true })];
  return /^[\^,]/.test(part.operator) ? [found('${name^^} is unknown; use tr', range)] : [];
}

/** What `$((…))` may hold in bash; BusyBox's shell knows all but arrays. */
function ofArithmetic({ tokens }: ArithmeticPart): Found[] {
  return tokens.flatMap(({ kind, text, range }, at) => {
    const say = (message: string): Found[] => [found(message, range, { ash: true })];
    if (kind === 'number' || kind === 'expansion')
      return /^\d+#/.test(text) ? say(`${text} with a base before # is unknown`) : [];
    if (text === '**') return say('** is unknown');
    if (text === ',') return say("',' is unknown; reckon in two steps");
    if (text === '[' && tokens[at - 1]?.kind === 'name')
      return [found('there are no arrays', range)];
    const isStep = text === '++' || text === '--';
    const isOnName = tokens[at - 1]?.kind === 'name' || tokens[at + 1]?.kind === 'name';
    return isStep && isOnName ? say(`${text} is unknown; write a=$((a ${text[0] ?? ''} 1))`) : [];
  });
}

const UNKNOWN = new Set([
  'pushd',
  'popd',
  'dirs',
  'declare',
  'typeset',
  'shopt',
  'let',
  'mapfile',
  'readarray',
  'disown',
  'complete',
]);

/** Options that dash takes for operands. */
const OPTIONS: Readonly<Record<string, RegExp>> = { type: /^-[afptP]/, read: /^-[adeinNstu]/ };

const NAMES = new Set([...UNKNOWN, 'source', '[', 'test', 'echo', 'set', 'type', 'read']);

function ofCall({ name, nameWord, arguments: words, behind }: ShellCall): Found[] {
  if (behind !== undefined) return [];
  const { range, text } = nameWord;
  if (text === 'source') {
    return [
      found('source is unknown; write a dot', range, {
        fix: safeFix('Change to .', replace(range, '.')),
        ash: true,
      }),
    ];
  }
  if (UNKNOWN.has(text))
    return [found(`${name} is unknown`, range, name === 'let' ? { ash: true } : {})];
  if (name === '[' || name === 'test') {
    return words
      .filter((word) => word.text === '==')
      .map((word) =>
        found('== is unknown; write =', word.range, {
          fix: safeFix('Change to =', replace(word.range, '=')),
          ash: true,
        }),
      );
  }
  const option = words[0];
  if (option !== undefined && OPTIONS[text]?.test(option.text) === true)
    return [found(`${text} has no ${option.text}`, option.range, { ash: true })];
  if (text === 'echo' && option !== undefined && /^-[neE]*e/.test(option.text)) {
    return [found('echo prints its option -e; use printf', option.range, { ash: true })];
  }
  const pipefail = text === 'set' ? words.find((word) => word.text === 'pipefail') : undefined;
  return pipefail === undefined
    ? []
    : [found('set knows no pipefail; choose bash with SHELL', pipefail.range, { ash: true })];
}
