/** Problems as Checkstyle's XML, which most build servers read. */

import type { Severity } from '../../lib/dockerfile/syntax.ts';
import { type Format, placeOf } from './report.ts';

const LEVELS: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  information: 'info',
  hint: 'info',
};

export const checkstyleFormat: Format = (reports) => {
  const files = reports.map(({ path, problems }) => {
    const errors = problems.map((problem) => {
      const { line, column } = placeOf(problem);
      const { severity, message, code } = problem;
      return element('error', { line, column, severity: LEVELS[severity], message, source: code });
    });
    return `<file name="${escape(path)}">\n${errors.join('')}</file>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<checkstyle version="4.3">\n${files.join('')}</checkstyle>\n`;
};

function element(name: string, attributes: Readonly<Record<string, string | number>>): string {
  const list = Object.entries(attributes).map(
    ([key, value]) => `${key}="${escape(String(value))}"`,
  );
  return `<${name} ${list.join(' ')}/>\n`;
}

/** Text for an attribute; characters that XML has no place for are dropped (XML 1.0, 2.2), and line ends stay what they are (3.3.3). */
function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll(/[\t\n\r]/g, (blank) => `&#${String(blank.charCodeAt(0))};`);
}
