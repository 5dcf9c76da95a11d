/**
 * The types of a shell reading: what POSIX sh and bash say in RUN, CMD, ENTRYPOINT, HEALTHCHECK and heredocs.
 * Types only. Every `range` counts in the Dockerfile, also where continuations were taken out of the text.
 */
import type { Range } from '../syntax.ts';

export type { Range } from '../syntax.ts';

/** Which language a command line is in; only the first four are read, the others are left alone. */
export type Dialect = 'sh' | 'bash' | 'ksh' | 'zsh' | 'powershell' | 'cmd' | 'other';

export type ShellProblemCode =
  | 'unclosed-quote'
  | 'unclosed-expansion'
  | 'unclosed-substitution'
  | 'bad-substitution'
  | 'unexpected-token'
  | 'missing-keyword'
  | 'missing-command'
  | 'missing-word'
  | 'bad-test'
  | 'bad-arithmetic'
  | 'unterminated-heredoc'
  | 'too-deep'
  | 'too-long';

export interface ShellProblem {
  readonly code: ShellProblemCode;
  readonly message: string;
  readonly range: Range;
}

/** A keyword (`if`, `{`, `!`), an operator (`&&`, `>`, `(`) or a comment, with its place. */
export interface Mark {
  readonly kind: 'keyword' | 'operator' | 'comment';
  readonly text: string;
  readonly range: Range;
}

/** One reading of one command line or script. */
export interface ShellScript {
  readonly kind: 'script';
  /** The text that was read: continuations of the Dockerfile taken out. */
  readonly text: string;
  readonly range: Range;
  readonly body: Sequence;
  /** In the order of the text. */
  readonly marks: readonly Mark[];
  readonly problems: readonly ShellProblem[];
  /** Steps the reader took; at most a small multiple of the text's length. */
  readonly work: number;
}

/** Commands one after the other. */
export interface Sequence {
  readonly kind: 'sequence';
  readonly items: readonly SequenceItem[];
  readonly range: Range;
}

export type Terminator = ';' | '&' | 'newline';

export interface SequenceItem {
  readonly node: Logical | Pipeline | Command;
  /** What ends it; undefined at the end of the text or before a closing word. */
  readonly terminator: Terminator | undefined;
}

export interface Operator {
  readonly text: string;
  readonly range: Range;
}

/** `a && b || c`: one more part than operators. */
export interface Logical {
  readonly kind: 'logical';
  readonly parts: readonly (Pipeline | Command)[];
  readonly operators: readonly Operator[];
  readonly range: Range;
}

/** `! a | b`: one more command than operators; also a single command behind `!` or `time`. */
export interface Pipeline {
  readonly kind: 'pipeline';
  readonly negated: boolean;
  readonly timed: boolean;
  readonly commands: readonly Command[];
  readonly operators: readonly Operator[];
  readonly range: Range;
}

export type Command =
  | SimpleCommand
  | GroupCommand
  | IfCommand
  | LoopCommand
  | ForCommand
  | CaseCommand
  | FunctionCommand
  | TestCommand
  | ArithmeticCommand;

interface CommandBase {
  readonly range: Range;
  /** In the order of the text. */
  readonly redirects: readonly Redirect[];
}

export interface SimpleCommand extends CommandBase {
  readonly kind: 'simple';
  /** Those before the name. */
  readonly assignments: readonly Assignment[];
  /** undefined: only assignments or redirections. */
  readonly name: ShellWord | undefined;
  readonly arguments: readonly ShellWord[];
}

/** `{ …; }` and `( … )`. */
export interface GroupCommand extends CommandBase {
  readonly kind: 'group' | 'subshell';
  readonly body: Sequence;
}

export interface IfBranch {
  readonly condition: Sequence;
  readonly body: Sequence;
}

export interface IfCommand extends CommandBase {
  readonly kind: 'if';
  /** `if` and every `elif`. */
  readonly branches: readonly IfBranch[];
  readonly otherwise: Sequence | undefined;
}

export interface LoopCommand extends CommandBase {
  readonly kind: 'while' | 'until';
  readonly condition: Sequence;
  readonly body: Sequence;
}

/** `for`, `select`; the form `for ((…))` has no variable and its expressions in `header`. */
export interface ForCommand extends CommandBase {
  readonly kind: 'for' | 'select';
  readonly variable: ShellWord | undefined;
  /** undefined without `in`. */
  readonly words: readonly ShellWord[] | undefined;
  readonly header: ArithmeticPart | undefined;
  readonly body: Sequence;
}

export interface CaseItem {
  readonly patterns: readonly ShellWord[];
  readonly body: Sequence;
  readonly terminator: ';;' | ';&' | ';;&' | undefined;
  readonly range: Range;
}

export interface CaseCommand extends CommandBase {
  readonly kind: 'case';
  readonly subject: ShellWord | undefined;
  readonly items: readonly CaseItem[];
}

export interface FunctionCommand extends CommandBase {
  readonly kind: 'function';
  readonly name: ShellWord | undefined;
  readonly body: Command | undefined;
}

/** `[[ … ]]`: its tree, and its words in order, those with the operators `==`, `-f`, … too. */
export interface TestCommand extends CommandBase {
  readonly kind: 'test';
  readonly words: readonly ShellWord[];
  /** undefined: there is none. */
  readonly expression: Condition | undefined;
}

/** A condition within `[[ … ]]`; an operand that is missing is reported and undefined. */
export type Condition =
  | { readonly kind: 'word'; readonly word: ShellWord; readonly range: Range }
  | {
      readonly kind: 'unary';
      readonly operator: ShellWord;
      readonly operand: ShellWord | undefined;
      readonly range: Range;
    }
  | {
      readonly kind: 'binary';
      readonly left: ShellWord;
      readonly operator: ShellWord;
      readonly right: ShellWord | undefined;
      readonly range: Range;
    }
  | { readonly kind: 'not'; readonly operand: Condition | undefined; readonly range: Range }
  | { readonly kind: 'group'; readonly condition: Condition | undefined; readonly range: Range }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[]; readonly range: Range };

/** `(( … ))`. */
export interface ArithmeticCommand extends CommandBase {
  readonly kind: 'arithmetic-command';
  readonly expression: ArithmeticPart;
}

export interface Assignment {
  readonly name: string;
  readonly nameRange: Range;
  /** `+=`. */
  readonly append: boolean;
  /** The text between the brackets of `name[index]=`. */
  readonly index: string | undefined;
  /** Empty for `name=`. An array value is one part of kind `array`. */
  readonly value: ShellWord;
  readonly range: Range;
}

export type RedirectOperator =
  '<' | '>' | '>>' | '<<' | '<<-' | '<<<' | '<&' | '>&' | '<>' | '>|' | '&>' | '&>>';

export interface Redirect {
  readonly operator: RedirectOperator;
  readonly operatorRange: Range;
  /** The number or `{name}` before the operator, as written; empty when there is none. */
  readonly descriptor: string;
  /** The file, descriptor or heredoc delimiter; undefined when it is missing. */
  readonly target: ShellWord | undefined;
  readonly heredoc: ShellHeredoc | undefined;
  readonly range: Range;
}

export interface ShellHeredoc {
  /** Quotes taken off. */
  readonly delimiter: string;
  /** The delimiter was quoted: nothing in the body is expanded. */
  readonly quoted: boolean;
  /** The body's lines, the delimiter's line not counted. */
  readonly bodyRange: Range;
  readonly text: string;
  readonly parts: readonly WordPart[];
  /** The delimiter's line at the end, or undefined when it is missing. */
  readonly endRange: Range | undefined;
}

export interface ShellWord {
  readonly kind: 'word';
  /** As written. */
  readonly text: string;
  /** Quotes and escapes taken off; undefined when an expansion or a pattern is in it. */
  readonly value: string | undefined;
  readonly parts: readonly WordPart[];
  /** Brace expansions such as `{a,b}` and `{1..3}`: bash's, not sh's. */
  readonly braces: readonly Range[];
  readonly range: Range;
}

interface PartBase {
  /** As written. */
  readonly text: string;
  readonly range: Range;
}

export interface LiteralPart extends PartBase {
  readonly kind: 'literal';
}

/** A backslash and the character that it quotes; a line continuation has the value ''. */
export interface EscapedPart extends PartBase {
  readonly kind: 'escaped';
  readonly value: string;
}

/** `'…'`, and `$'…'` (kind `ansi`, its value as written). */
export interface SinglePart extends PartBase {
  readonly kind: 'single' | 'ansi';
  readonly value: string;
}

/** `"…"` and `$"…"`. */
export interface DoublePart extends PartBase {
  readonly kind: 'double';
  readonly parts: readonly WordPart[];
}

/** `$name`, `${name}`, `${name:-word}`, `${#name}`, `${!name}`, `${name[index]}`. */
export interface ParameterPart extends PartBase {
  readonly kind: 'parameter';
  readonly name: string;
  readonly nameRange: Range;
  readonly braced: boolean;
  readonly prefix: '#' | '!' | '';
  readonly index: ShellWord | undefined;
  /** `:-`, `##`, `/`, … as written; empty when there is none. */
  readonly operator: string;
  readonly operand: ShellWord | undefined;
}

export interface CommandPart extends PartBase {
  readonly kind: 'command';
  readonly style: 'dollar' | 'backtick';
  readonly body: Sequence;
}

/** `<(…)` and `>(…)`. */
export interface ProcessPart extends PartBase {
  readonly kind: 'process';
  readonly direction: '<' | '>';
  readonly body: Sequence;
}

/** `$((…))`, and what stands in `((…))`. */
export interface ArithmeticPart extends PartBase {
  readonly kind: 'arithmetic';
  readonly parts: readonly WordPart[];
  /** All but white space and quotes, the brackets around it too. */
  readonly tokens: readonly ArithmeticToken[];
}

export type ArithmeticToken =
  | ArithmeticName
  | {
      /** `expansion`: an operand or more that only the shell knows, as in `10#$month`. */
      readonly kind: 'number' | 'operator' | 'expansion';
      readonly text: string;
      readonly range: Range;
    };

/** A variable without a dollar. */
export interface ArithmeticName {
  readonly kind: 'name';
  readonly text: string;
  readonly range: Range;
  /** `write`: `a = 1`. `both`: `a += 1`, `a++`. `index`: in brackets, where it may be the key of a table. */
  readonly access: 'read' | 'write' | 'both' | 'index';
}

/** `*`, `?`, `[…]`, `@(…)` outside quotes. */
export interface GlobPart extends PartBase {
  readonly kind: 'glob';
}

/** `(…)` behind `name=`. */
export interface ArrayPart extends PartBase {
  readonly kind: 'array';
  readonly words: readonly ShellWord[];
}

export type WordPart =
  | LiteralPart
  | EscapedPart
  | SinglePart
  | DoublePart
  | ParameterPart
  | CommandPart
  | ProcessPart
  | ArithmeticPart
  | GlobPart
  | ArrayPart;
