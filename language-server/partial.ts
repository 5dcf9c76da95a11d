/** Owns partial results: a long list goes out in parts where the client gave a token for them. */
import type { ResultProgressReporter } from 'vscode-languageserver/node';

const PART = 500;

/** The list, or its parts through the reporter and then an empty list (LSP, "Partial Result Progress"). */
export function inParts<T>(list: T[], reporter: ResultProgressReporter<T[]> | undefined): T[] {
  if (reporter === undefined) return list;
  for (let at = 0; at < list.length; at += PART) reporter.report(list.slice(at, at + PART));
  return [];
}
