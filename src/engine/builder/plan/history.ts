/**
 * The `created_by` texts of an image's history, in BuildKit's style, and the short forms that go with them. The texts
 * are part of an image's id: changing one changes the id of every image built afterwards.
 */
import type { HistoryEntry } from '../../../lib/image/config.ts';

/** What BuildKit writes into `comment`; tools use it to tell its history from the classic builder's. */
const COMMENT = 'buildkit.dockerfile.v0';

/** A step that may make a layer. */
export function layerHistory(text: string): string {
  return `${text} # buildkit`;
}

/** `RUN |2 A=1 B=2 /bin/sh -c command`. */
export function runHistory(args: readonly string[], command: readonly string[]): string {
  const prefix = args.length === 0 ? [] : [`|${args.length}`, ...args];
  return layerHistory(['RUN', ...prefix, ...command].join(' '));
}

export interface CopyWords {
  readonly verb: string;
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly sources: readonly string[];
  readonly dest: string;
}

export function copyHistory(words: CopyWords): string {
  const flags = [
    ...(words.chown === undefined ? [] : [`--chown=${words.chown}`]),
    ...(words.chmod === undefined ? [] : [`--chmod=${words.chmod}`]),
  ];
  return layerHistory([words.verb, ...flags, ...words.sources, words.dest].join(' '));
}

/** `CMD ["a" "b"]`. */
export function listHistory(verb: string, words: readonly string[]): string {
  return `${verb} [${words.map((word) => JSON.stringify(word)).join(' ')}]`;
}

/** `VOLUME [/a /b]`. */
export function plainListHistory(verb: string, words: readonly string[]): string {
  return `${verb} [${words.join(' ')}]`;
}

export function pairsHistory(
  verb: string,
  pairs: readonly (readonly [string, string | undefined])[],
): string {
  return [
    verb,
    ...pairs.map(([name, value]) => (value === undefined ? name : `${name}=${value}`)),
  ].join(' ');
}

/** An entry of the image's history. */
export function historyEntry(
  createdBy: string,
  options: { created: string; emptyLayer: boolean; author: string | undefined },
): HistoryEntry {
  return {
    created: options.created,
    created_by: createdBy,
    ...(options.author === undefined ? {} : { author: options.author }),
    comment: COMMENT,
    ...(options.emptyLayer ? { empty_layer: true } : {}),
  };
}
