/** Walks a shell reading in the order of its text: every simple command with where it stands, every word, every part. */
import type {
  Command,
  Logical,
  Pipeline,
  Redirect,
  Sequence,
  SequenceItem,
  ShellScript,
  ShellWord,
  SimpleCommand,
  Terminator,
  WordPart,
} from './syntax.ts';

/** How a command is joined to its neighbour. */
export type Connector = '&&' | '||' | '|' | '|&' | Terminator;

/** Where a command stands. */
export interface Surroundings {
  /** What joins it to the next one; undefined for the last of its list. */
  readonly next: Connector | undefined;
  /** What joins it to the one before; undefined for the first of its list. */
  readonly previous: Connector | undefined;
  /** Its status is tested: in the condition of if, while or until, before `&&` or `||`, or behind `!`. */
  readonly inCondition: boolean;
  readonly inPipeline: boolean;
  readonly inSubshell: boolean;
  /** Within `$(…)`, backticks or `<(…)`. */
  readonly inSubstitution: boolean;
  readonly inFunction: boolean;
  readonly inLoop: boolean;
  /** Within a branch of if or case, or behind `&&` or `||`: it may not run at all. */
  readonly conditional: boolean;
  readonly background: boolean;
}

export interface CommandUse extends Surroundings {
  readonly command: SimpleCommand;
  /** The name where it is known before the shell runs. */
  readonly name: string | undefined;
  readonly nameWord: ShellWord | undefined;
  readonly arguments: readonly ShellWord[];
}

export type WordRole =
  | 'name'
  | 'argument'
  | 'assignment'
  | 'array'
  | 'redirect'
  | 'delimiter'
  | 'loop-variable'
  | 'loop-word'
  | 'subject'
  | 'pattern'
  | 'function-name'
  | 'test'
  | 'operand'
  | 'index';

export interface PartUse {
  /** Within double quotes, a heredoc or arithmetic: no word splitting and no patterns. */
  readonly quoted: boolean;
  readonly role: WordRole;
}

export interface ShellVisitor {
  readonly command?: (command: Command, surroundings: Surroundings) => void;
  readonly sequence?: (sequence: Sequence) => void;
  readonly word?: (word: ShellWord, role: WordRole, owner: Command | undefined) => void;
  readonly part?: (part: WordPart, use: PartUse) => void;
  readonly redirect?: (redirect: Redirect, owner: Command) => void;
}

const OUTSIDE: Surroundings = {
  next: undefined,
  previous: undefined,
  inCondition: false,
  inPipeline: false,
  inSubshell: false,
  inSubstitution: false,
  inFunction: false,
  inLoop: false,
  conditional: false,
  background: false,
};

/** Every simple command in the order of the text, those within substitutions and functions too. */
export function commandsOf(script: ShellScript): readonly CommandUse[] {
  const found: CommandUse[] = [];
  visitShell(script, {
    command: (command, surroundings) => {
      if (command.kind !== 'simple') return;
      const { name: nameWord, arguments: words } = command;
      found.push({ ...surroundings, command, name: nameWord?.value, nameWord, arguments: words });
    },
  });
  return found;
}

/** Calls the visitor for what it asks for; a command comes before what is in it. */
export function visitShell(script: ShellScript, visitor: ShellVisitor): void {
  new Walk(visitor).sequence(script.body, OUTSIDE);
}

class Walk {
  private readonly visitor: ShellVisitor;

  constructor(visitor: ShellVisitor) {
    this.visitor = visitor;
  }

  sequence(sequence: Sequence, outer: Surroundings): void {
    this.visitor.sequence?.(sequence);
    let before: Connector | undefined;
    for (const [number, item] of sequence.items.entries()) {
      const last = number === sequence.items.length - 1;
      this.item(item, { outer, before, last });
      before = item.terminator;
    }
  }

  private item(
    { node, terminator }: SequenceItem,
    place: { outer: Surroundings; before: Connector | undefined; last: boolean },
  ): void {
    const { outer, before, last } = place;
    const status = outer.inCondition && last;
    const background = outer.background || terminator === '&';
    const inner = {
      ...outer,
      previous: before,
      next: last && terminator === 'newline' ? undefined : terminator,
      inCondition: status,
      background,
    };
    if (node.kind === 'logical') this.logical(node, inner);
    else this.pipeline(node, inner);
  }

  private logical({ parts, operators }: Logical, outer: Surroundings): void {
    for (const [number, part] of parts.entries()) {
      const next = operators[number]?.text as Connector | undefined;
      const previous = operators[number - 1]?.text as Connector | undefined;
      this.pipeline(part, {
        ...outer,
        next: next ?? outer.next,
        previous: previous ?? outer.previous,
        inCondition: outer.inCondition || next !== undefined,
        conditional: outer.conditional || previous !== undefined,
      });
    }
  }

  private pipeline(node: Pipeline | Command, outer: Surroundings): void {
    if (node.kind !== 'pipeline') {
      this.command(node, outer);
      return;
    }
    const { commands, operators, negated } = node;
    for (const [number, command] of commands.entries()) {
      const next = operators[number]?.text as Connector | undefined;
      const previous = operators[number - 1]?.text as Connector | undefined;
      this.command(command, {
        ...outer,
        next: next ?? outer.next,
        previous: previous ?? outer.previous,
        inCondition: negated || (outer.inCondition && next === undefined),
        inPipeline: outer.inPipeline || commands.length > 1,
      });
    }
  }

  private command(command: Command, place: Surroundings): void {
    this.visitor.command?.(command, place);
    this.inside(command, { ...place, next: undefined, previous: undefined });
    for (const redirect of command.redirects) this.redirect(redirect, command, place);
  }

  private inside(command: Command, place: Surroundings): void {
    switch (command.kind) {
      case 'simple':
        this.simple(command, place);
        break;
      case 'group':
        this.sequence(command.body, place);
        break;
      case 'subshell':
        this.sequence(command.body, { ...place, inSubshell: true });
        break;
      case 'test':
        for (const word of command.words) this.word(word, 'test', command, place);
        break;
      case 'arithmetic-command':
        this.part(command.expression, { quoted: true, role: 'argument' }, place);
        break;
      case 'function':
        if (command.name) this.word(command.name, 'function-name', command, place);
        if (command.body) this.command(command.body, { ...place, inFunction: true });
        break;
      default:
        this.branching(command, place);
    }
  }

  private branching(
    command: Extract<Command, { kind: 'if' | 'while' | 'until' | 'for' | 'select' | 'case' }>,
    place: Surroundings,
  ): void {
    const condition = { ...place, inCondition: true };
    const branch = { ...place, inCondition: false, conditional: true };
    if (command.kind === 'if') {
      for (const { condition: test, body } of command.branches) {
        this.sequence(test, condition);
        this.sequence(body, branch);
      }
      if (command.otherwise) this.sequence(command.otherwise, branch);
    } else if ('condition' in command) {
      this.sequence(command.condition, { ...condition, inLoop: true });
      this.sequence(command.body, { ...branch, inLoop: true });
    } else if (command.kind === 'case') {
      if (command.subject) this.word(command.subject, 'subject', command, place);
      for (const { patterns, body } of command.items) {
        for (const pattern of patterns) this.word(pattern, 'pattern', command, place);
        this.sequence(body, branch);
      }
    } else {
      if (command.header) this.part(command.header, { quoted: true, role: 'argument' }, place);
      if (command.variable) this.word(command.variable, 'loop-variable', command, place);
      for (const word of command.words ?? []) this.word(word, 'loop-word', command, place);
      this.sequence(command.body, { ...branch, inLoop: true });
    }
  }

  private simple(command: SimpleCommand, place: Surroundings): void {
    for (const { value } of command.assignments) this.word(value, 'assignment', command, place);
    if (command.name) this.word(command.name, 'name', command, place);
    for (const word of command.arguments) this.word(word, 'argument', command, place);
  }

  private redirect(redirect: Redirect, owner: Command, place: Surroundings): void {
    this.visitor.redirect?.(redirect, owner);
    const { target, heredoc, operator } = redirect;
    const delimiter = operator === '<<' || operator === '<<-';
    if (target) this.word(target, delimiter ? 'delimiter' : 'redirect', owner, place);
    for (const part of heredoc?.parts ?? []) {
      this.part(part, { quoted: true, role: 'redirect' }, place);
    }
  }

  private word(
    word: ShellWord,
    role: WordRole,
    owner: Command | undefined,
    place: Surroundings,
  ): void {
    this.visitor.word?.(word, role, owner);
    for (const part of word.parts) this.part(part, { quoted: false, role }, place);
  }

  private part(part: WordPart, use: PartUse, place: Surroundings): void {
    this.visitor.part?.(part, use);
    switch (part.kind) {
      case 'double':
      case 'arithmetic':
        for (const inner of part.parts) this.part(inner, { ...use, quoted: true }, place);
        break;
      case 'command':
      case 'process':
        this.sequence(part.body, {
          ...OUTSIDE,
          inSubstitution: true,
          inFunction: place.inFunction,
          inLoop: place.inLoop,
          conditional: place.conditional,
        });
        break;
      case 'array':
        for (const word of part.words) this.word(word, 'array', undefined, place);
        break;
      case 'parameter':
        if (part.index) this.word(part.index, 'index', undefined, place);
        if (part.operand) this.operand(part.operand, use, place);
        break;
      default:
    }
  }

  private operand(word: ShellWord, use: PartUse, place: Surroundings): void {
    this.visitor.word?.(word, 'operand', undefined);
    for (const part of word.parts) this.part(part, { quoted: use.quoted, role: 'operand' }, place);
  }
}
