/** A made-up language for the installed extension: every text in brackets and with accents, so that one sees what was missed. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** A language that the editor knows; its own texts stay English, since no language pack is installed. */
const LANGUAGE = 'de';

const ACCENTS: Readonly<Record<string, string>> = { a: 'á', e: 'é', i: 'í', o: 'ó', u: 'ú' };

/** Puts the language beside the extension in `extensions`, and makes the window ask for it from its next load on. */
export async function speakPseudo(extensions: string, page: Page): Promise<void> {
  const [name] = globSync('pinnace.pinnace-*', { cwd: extensions });
  if (name === undefined) throw new Error(`the extension is not installed in ${extensions}`);
  for (const file of ['package.nls', 'l10n/bundle.l10n']) {
    const words = JSON.parse(
      readFileSync(join(extensions, name, `${file}.json`), 'utf8'),
    ) as Record<string, string>;
    const pseudo = Object.entries(words).map(([key, text]) => [key, `[${accented(text)}]`]);
    writeFileSync(
      join(extensions, name, `${file}.${LANGUAGE}.json`),
      JSON.stringify(Object.fromEntries(pseudo)),
    );
  }
  // What a language pack's own script sets.
  await page.addInitScript(
    `Object.defineProperty(globalThis, '_VSCODE_NLS_LANGUAGE', { get: () => '${LANGUAGE}', set() {} })`,
  );
}

/** Links to commands, places and icons are no text. */
function accented(text: string): string {
  return text
    .split(/(\{\d\}|\([a-z]+:[^)]*\)|\$\([^)]*\))/)
    .map((part, at) => (at % 2 === 1 ? part : part.replaceAll(/[aeiou]/g, accent)))
    .join('');
}

function accent(letter: string): string {
  return ACCENTS[letter] ?? letter;
}
