/** The user's language in this window: what desk, trees and status bar send their English through. */
import * as vscode from 'vscode';
import { factByFact, translator } from './translate.ts';

/** A sentence in the user's language. */
export const say = translator(vscode.l10n.bundle);

/** Facts that are joined by `between`, in the user's language. */
export function sayFacts(text: string, between = ' · '): string {
  return factByFact(say, text, between);
}
