/** The shape of the manual's entries: what completion, hover and signature help say. Types and link building only. */

export interface Entry {
  /** One line without markup, without a full stop. */
  readonly summary: string;
  /** Markdown; may be empty where the summary says all. */
  readonly text: string;
  /** A page of the reference. */
  readonly link: string;
}

/** A piece of a syntax line, and what may stand there. */
export interface Parameter {
  readonly label: string;
  readonly summary: string;
}

/** One way to write an instruction: its keyword, then these pieces with a space between. */
export type Form = readonly Parameter[];

/** A text to insert, with `$1`, `${2:default}`, `$0` as in the protocol's snippets. */
export interface Snippet {
  readonly label: string;
  readonly body: string;
  readonly summary: string;
}

const REFERENCE = 'https://docs.docker.com/reference/dockerfile/';

/** A place of the Dockerfile reference. */
export function reference(anchor: string): string {
  return `${REFERENCE}#${anchor}`;
}

/** An entry as Markdown: summary, text, link. */
export function markdownOf({ summary, text, link }: Entry): string {
  const first = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return [first, text, `[Reference](${link})`].filter((part) => part !== '').join('\n\n');
}

/** A fenced block of Dockerfile text. */
export function example(...lines: string[]): string {
  return ['```dockerfile', ...lines, '```'].join('\n');
}
