/** Keeps texts of strangers from steering a terminal: names and contents of files are not to be trusted. */

/** The text on one line, its control characters replaced. */
export function printable(text: string): string {
  return Array.from(text, (character) => (isControl(character) ? '\ufffd' : character)).join('');
}

function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code < 32 || (code >= 127 && code < 160);
}
