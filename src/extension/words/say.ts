/** The user's language in this window: what desk, trees and status bar send their English through. */
import * as vscode from 'vscode';
import { factByFact, translator } from './translate.ts';

/** For pages, which look sentences up themselves (media/webview/words.js): JSON that can stand in a page. */
export function wordsOfPage(): string {
  return JSON.stringify(vscode.l10n.bundle ?? null).replaceAll('<', '\\u003c');
}

/** A sentence in the user's language. */
export const say = translator(vscode.l10n.bundle);

/** Facts that are joined by `between`, in the user's language. */
export function sayFacts(text: string, between = ' · '): string {
  return factByFact(say, text, between);
}
