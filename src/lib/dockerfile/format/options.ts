/** Owns the formatter's options and their defaults. */

export interface FormatOptions {
  /** Spaces of one level, or a tab. */
  readonly indent: number | 'tab';
  /** How keywords (and AS of FROM) are written. */
  readonly keywordCase: 'upper' | 'lower' | 'keep';
  /** Packages of an install command each on a line of their own, where the command stands on several lines already. */
  readonly packages: 'one-a-line' | 'keep';
  /** Continuation characters: one space behind the text, or all of an instruction in one column. */
  readonly continuations: 'space' | 'column';
  /** Flags in the order of the reference, or as written. */
  readonly flags: 'ordered' | 'keep';
  /** More empty lines than this in a row are taken out; within an instruction they hold a lone continuation character. */
  readonly emptyLines: number;
  /** An empty line before every FROM but the first. */
  readonly stages: 'apart' | 'keep';
  /** Blanks at the ends of instructions and comments and in empty lines. Where lines continue they are laid out anyway. */
  readonly trailingBlanks: 'trim' | 'keep';
  /** A line break at the end of a file that has none. */
  readonly finalNewline: 'insert' | 'keep';
  /** Empty lines at the end of the file. */
  readonly finalEmptyLines: 'trim' | 'keep';
}

export const FORMAT_DEFAULTS: FormatOptions = {
  indent: 4,
  keywordCase: 'upper',
  packages: 'one-a-line',
  continuations: 'space',
  flags: 'keep',
  emptyLines: 1,
  stages: 'apart',
  trailingBlanks: 'trim',
  finalNewline: 'insert',
  finalEmptyLines: 'trim',
};
