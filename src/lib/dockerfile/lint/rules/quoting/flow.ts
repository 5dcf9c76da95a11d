/**
 * Follows a script's variables from command to command: which of them can only hold text that the shell neither splits
 * nor expands where they are used. Branches are joined, loops are walked twice, what a subshell sets is forgotten.
 */
import type {
  Assignment,
  CaseCommand,
  Command,
  ForCommand,
  Logical,
  ParameterPart,
  Pipeline,
  Sequence,
  ShellScript,
  ShellWord,
  SimpleCommand,
  WordPart,
} from '../../../shell/syntax.ts';

/** Plain: one word whatever is in it. Empty: no word at all, unquoted. Any: nobody knows. */
type Value = 'plain' | 'empty' | 'any';

/** The names that the script has set so far; undefined where no command can come to. */
type State = ReadonlyMap<string, Value> | undefined;

/** Numbers, and names that the shell itself sets to plain text. */
const PLAIN_NAMES = new Set(
  `$ # ? ! - BASHPID BASH_SUBSHELL COLUMNS EPOCHREALTIME EPOCHSECONDS EUID HISTCMD HISTSIZE LINENO LINES OPTIND PPID
  RANDOM SECONDS SHLVL SRANDOM UID`.split(/\s+/),
);

const DECLARING = new Set(['export', 'local', 'declare', 'typeset', 'readonly']);
const READING = new Set(['read', 'getopts', 'mapfile', 'readarray', 'unset', 'printf']);
const ENDING = new Set(['exit', 'return', 'exec']);

/** Beyond so many steps a script is generated: nothing more is followed, and nothing counted as plain. */
const STEP_LIMIT = 20_000;
const NAME_LIMIT = 300;
const CALL_LIMIT = 3;
const LOOP_LIMIT = 3;

export class Flow {
  /** By use; absent: the script has given the variable no value there. */
  private readonly uses = new Map<ParameterPart, Value>();
  private readonly functions = new Map<string, Command>();
  private readonly called = new Set<string>();
  private steps = 0;
  private depth = 0;
  private loops = 0;

  constructor({ body }: ShellScript) {
    const end = this.sequence(body, new Map());
    for (const [name, each] of this.functions) if (!this.called.has(name)) this.command(each, end);
  }

  /** Whether an expansion can only give one word; undefined: its variable has its value from outside the script. */
  isPlain(part: ParameterPart): boolean | undefined {
    if (PLAIN_NAMES.has(part.name)) return true;
    if (this.steps > STEP_LIMIT) return false;
    const value = this.uses.get(part);
    return value === undefined ? undefined : value === 'plain';
  }

  private sequence({ items }: Sequence, before: State): State {
    let state = before;
    for (const { node, terminator } of items) {
      const after =
        node.kind === 'logical' ? this.logical(node, state) : this.pipeline(node, state);
      if (terminator !== '&') state = after;
    }
    return state;
  }

  private logical({ parts, operators }: Logical, before: State): State {
    let done = before;
    let failed = before;
    for (const [number, part] of parts.entries()) {
      const isOr = operators[number - 1]?.text === '||';
      const after = this.pipeline(part, isOr ? failed : done);
      if (number === 0) failed = after;
      else failed = isOr ? after : join(failed, after);
      done = isOr ? join(done, after) : after;
    }
    return join(done, failed);
  }

  private pipeline(node: Pipeline | Command, before: State): State {
    if (node.kind !== 'pipeline') return this.command(node, before);
    const [only, more] = node.commands;
    if (only !== undefined && more === undefined) return this.command(only, before);
    for (const each of node.commands) this.command(each, before);
    return before;
  }

  private command(command: Command, before: State): State {
    if (before === undefined || ++this.steps > STEP_LIMIT) return before;
    if (before.size > NAME_LIMIT) this.steps = STEP_LIMIT;
    for (const { target, heredoc } of command.redirects) {
      if (target !== undefined) this.word(target, before);
      for (const part of heredoc?.parts ?? []) this.part(part, before);
    }
    switch (command.kind) {
      case 'simple':
        return this.simple(command, before);
      case 'group':
        return this.sequence(command.body, before);
      case 'subshell':
        this.sequence(command.body, before);
        return before;
      case 'if':
        return this.branches(command.branches, command.otherwise, before);
      case 'for':
      case 'select':
        return this.loopOver(command, before);
      case 'while':
      case 'until':
        return this.repeat(before, (state) => {
          const tested = this.sequence(command.condition, state);
          return join(tested, this.sequence(command.body, tested));
        });
      case 'case':
        return this.cases(command, before);
      case 'function':
        if (command.name !== undefined && command.body !== undefined)
          this.functions.set(command.name.text, command.body);
        return before;
      case 'test':
        for (const word of command.words) this.word(word, before);
        return before;
      default:
        this.part(command.expression, before);
        return before;
    }
  }

  private branches(
    branches: readonly { readonly condition: Sequence; readonly body: Sequence }[],
    otherwise: Sequence | undefined,
    before: State,
  ): State {
    let state = before;
    let end: State;
    for (const { condition, body } of branches) {
      state = this.sequence(condition, state);
      end = join(end, this.sequence(body, state));
    }
    return join(end, otherwise === undefined ? state : this.sequence(otherwise, state));
  }

  private cases({ subject, items }: CaseCommand, before: State): State {
    if (subject !== undefined) this.word(subject, before);
    let end: State;
    let isComplete = false;
    let fallen: State;
    for (const { patterns, body, terminator } of items) {
      for (const pattern of patterns) this.word(pattern, before);
      const after = this.sequence(body, join(before, fallen));
      fallen = terminator === ';&' ? after : undefined;
      end = join(end, after);
      isComplete ||= patterns.some(({ text }) => text === '*');
    }
    return isComplete ? end : join(end, before);
  }

  private loopOver({ variable, words, header, body }: ForCommand, before: State): State {
    for (const word of words ?? []) this.word(word, before);
    if (header !== undefined) this.part(header, before);
    const name = variable?.value;
    const isPlain = words?.every((word) => this.valueOf(word, before) === 'plain') === true;
    const runs = words !== undefined && words.length > 0 && isPlain;
    const after = this.repeat(before, (state) => {
      const set = name === undefined ? state : write(state, name, isPlain ? 'plain' : 'any');
      return this.sequence(body, set);
    });
    return runs ? after : join(before, after);
  }

  /** Walks a loop a second time with what the first walk leaves. */
  private repeat(before: State, walk: (state: State) => State): State {
    if (this.loops >= LOOP_LIMIT) return join(before, walk(before));
    this.loops++;
    const after = walk(join(before, walk(before)));
    this.loops--;
    return after;
  }

  private simple(command: SimpleCommand, before: State): State {
    const { name, arguments: words, assignments } = command;
    if (name !== undefined) this.word(name, before);
    for (const word of words) this.word(word, before);
    let state = before;
    for (const assignment of assignments) {
      this.word(assignment.value, state);
      state = write(state, assignment.name, this.assigned(assignment, state));
    }
    if (name === undefined) return state;
    const called = name.value ?? '';
    if (ENDING.has(called)) return undefined;
    if (DECLARING.has(called)) return this.declaration(words, before);
    if (READING.has(called)) return forget(words, called, before);
    return this.call(called, before);
  }

  private call(name: string, before: State): State {
    const body = this.functions.get(name);
    if (body === undefined || this.depth >= CALL_LIMIT) return before;
    this.called.add(name);
    this.depth++;
    // The function may return before its end.
    const after = join(before, this.command(body, before));
    this.depth--;
    return after;
  }

  private declaration(words: readonly ShellWord[], before: State): State {
    let state = before;
    for (const word of words) {
      const [, name, plus] = /^([A-Za-z_]\w*)(\+?)=/.exec(word.text) ?? [];
      if (name === undefined) continue;
      const value = this.valueOf(word, state, name.length + 1 + (plus?.length ?? 0));
      state = write(state, name, value);
    }
    return state;
  }

  private assigned({ name, value, append, index }: Assignment, state: State): Value {
    if (index !== undefined) return 'any';
    const own = this.valueOf(value, state);
    return append ? joined(state?.get(name) ?? 'any', own) : own;
  }

  /** Notes the state at each expansion of a word. */
  private word(word: ShellWord, state: State): void {
    for (const part of word.parts) this.part(part, state);
  }

  private part(part: WordPart, state: State): void {
    switch (part.kind) {
      case 'parameter': {
        const value = state?.get(part.name);
        const known = this.uses.get(part);
        if (value !== undefined || known !== undefined)
          this.uses.set(part, known === undefined || known === value ? (value ?? 'any') : 'any');
        if (part.operand !== undefined) this.word(part.operand, state);
        if (part.index !== undefined) this.word(part.index, state);
        break;
      }
      case 'double':
      case 'arithmetic':
        for (const inner of part.parts) this.part(inner, state);
        break;
      case 'command':
      case 'process':
        this.sequence(part.body, state);
        break;
      case 'array':
        for (const word of part.words) this.word(word, state);
        break;
      default:
    }
  }

  /** What a word gives as a value; `from` passes over the characters before it. */
  private valueOf(word: ShellWord, state: State, from = 0): Value {
    if (word.braces.length > 0) return 'any';
    let value: Value = 'empty';
    let passed = from;
    for (const part of word.parts) {
      const text = part.kind === 'literal' ? part.text.slice(passed) : '';
      passed = Math.max(0, passed - part.text.length);
      value = joined(value, this.valueOfPart(part, text, state));
    }
    return value;
  }

  private valueOfPart(part: WordPart, text: string, state: State): Value {
    switch (part.kind) {
      case 'literal':
        return ofText(text);
      case 'escaped':
      case 'single':
      case 'ansi':
        return ofText(part.value);
      case 'double':
        return part.parts.reduce<Value>(
          (value, inner) => joined(value, this.valueOfPart(inner, inner.text, state)),
          'empty',
        );
      case 'arithmetic':
        return 'plain';
      case 'parameter':
        if (part.prefix === '#' || PLAIN_NAMES.has(part.name)) return 'plain';
        return part.operator === '' ? (state?.get(part.name) ?? 'any') : 'any';
      default:
        return 'any';
    }
  }
}

function ofText(text: string): Value {
  if (text === '') return 'empty';
  return /[\s*?[\]]/.test(text) ? 'any' : 'plain';
}

/** The value of two texts behind each other. */
function joined(a: Value, b: Value): Value {
  if (a === 'empty') return b;
  return b === 'empty' ? a : a === b ? a : 'any';
}

function write(state: State, name: string, value: Value): State {
  if (state === undefined || state.get(name) === value) return state;
  return new Map(state).set(name, value);
}

/** What `read` and the like set, each in its way. */
function forget(words: readonly ShellWord[], command: string, before: State): State {
  let state = before;
  const isPrint = command === 'printf';
  for (const [number, { text }] of words.entries()) {
    const isTarget = isPrint ? words[number - 1]?.text === '-v' : /^[A-Za-z_]\w*$/.test(text);
    if (isTarget) state = write(state, text, 'any');
  }
  return state;
}

/** What holds whichever of two ways was gone. */
function join(a: State, b: State): State {
  if (a === undefined || a === b) return b;
  if (b === undefined) return a;
  const both = new Map<string, Value>();
  for (const [name, value] of a) {
    const other = b.get(name);
    both.set(name, other === value ? value : other === undefined ? 'any' : joined(value, other));
  }
  for (const name of b.keys()) if (!a.has(name)) both.set(name, 'any');
  return both;
}
