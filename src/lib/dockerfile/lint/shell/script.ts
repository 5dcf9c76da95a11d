/**
 * The types of a shell script as rules see it: its tree, and its commands, words and pipelines in flat lists. collect.ts
 * makes the lists.
 */
import type { ShellInForce } from '../../shell/shells.ts';
import type {
  Command,
  Dialect,
  Logical,
  Pipeline,
  Redirect,
  ShellScript,
  ShellWord,
  SimpleCommand,
  WordPart,
} from '../../shell/syntax.ts';
import type { PartUse, Surroundings, WordRole } from '../../shell/walk.ts';
import type { Instruction, Range } from '../../syntax.ts';

export interface WordUse {
  readonly word: ShellWord;
  readonly role: WordRole;
  /** The command that it belongs to. */
  readonly owner: Command | undefined;
}

/** A part of a word with where it stands, and the word's owner. */
export interface PlacedPart extends PartUse {
  readonly part: WordPart;
  readonly word: WordUse | undefined;
}

/** A simple command. One behind sudo, env and the like appears twice: as the whole, and as the command that it runs. */
export interface ShellCall {
  readonly instruction: Instruction;
  /** The script that it is in; undefined for RUN's exec form. */
  readonly script: Script | undefined;
  /** The name without its directory; empty when it is an expansion. */
  readonly name: string;
  readonly nameWord: ShellWord;
  readonly arguments: readonly ShellWord[];
  /** As it stands in the script; undefined for RUN's exec form. */
  readonly command: SimpleCommand | undefined;
  /** The command that runs this one (sudo, env, …). */
  readonly behind: ShellCall | undefined;
  /** Undefined for RUN's exec form. */
  readonly place: Surroundings | undefined;
  /** From the name to the last argument. */
  readonly range: Range;
}

export interface Script {
  readonly instruction: Instruction;
  readonly shell: ShellInForce;
  readonly dialect: Dialect;
  readonly tree: ShellScript;
  /** It is the body of a heredoc: line breaks separate its commands. */
  readonly heredoc: boolean;
  readonly calls: readonly ShellCall[];
  readonly words: readonly WordUse[];
  readonly parts: readonly PlacedPart[];
  readonly pipelines: readonly Pipeline[];
  readonly logicals: readonly Logical[];
  readonly redirects: readonly Redirect[];
  /** Every command, the compound ones as well. */
  readonly commands: readonly Command[];
}
