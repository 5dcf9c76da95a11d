/** The types of refactorings: what one is asked with and what it offers. Types only; the table of them is in table.ts. */
import type { Edit } from '../lint/rule.ts';
import type { ScriptUse } from '../shell/scripts.ts';
import type { Dockerfile, Range } from '../syntax.ts';

export interface RefactorRequest {
  readonly file: Dockerfile;
  /** The cursor (empty) or what is selected, in offsets. */
  readonly selection: Range;
  /** The file's shell texts. */
  readonly scripts: readonly ScriptUse[];
  /** The digest (`sha256:…`) that an image's name stands for now; undefined where it is not known. */
  readonly digestOf: (image: string) => string | undefined;
}

/** One way to write the same in another form. */
export interface Refactoring {
  readonly title: string;
  /** The last part of the protocol's kind: `refactor.rewrite`, `refactor.extract`, `refactor.inline`. */
  readonly kind: 'rewrite' | 'extract' | 'inline';
  /** Sorted by place; they do not overlap. */
  readonly edits: readonly Edit[];
}

/** What can be offered at a place; empty where it would change what the file means. */
export type Refactor = (request: RefactorRequest) => readonly Refactoring[];
