/** The table of output formats, by the names that --format takes. */

import { checkstyleFormat } from './checkstyle.ts';
import { githubFormat } from './github.ts';
import { jsonFormat } from './json.ts';
import type { Format } from './report.ts';
import { sarifFormat } from './sarif.ts';
import { textFormat } from './text.ts';

export const FORMATS: Readonly<Record<string, Format>> = {
  text: textFormat,
  json: jsonFormat,
  sarif: sarifFormat,
  github: githubFormat,
  checkstyle: checkstyleFormat,
};

/** The format of a name, also of hadolint's `tty` and `gnu`; undefined for others. */
export function formatOf(name: string): Format | undefined {
  const known = name === 'tty' || name === 'gnu' ? 'text' : name;
  return Object.hasOwn(FORMATS, known) ? FORMATS[known] : undefined;
}
