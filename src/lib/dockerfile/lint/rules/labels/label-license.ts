/** LabelLicense: a label of the format spdx holds a licence expression of the SPDX list. */
import type { Rule } from '../../rule.ts';
import { eachLabel, valueFix } from './label-values.ts';
import { SPDX_EXCEPTIONS, SPDX_LICENSES } from './spdx-ids.ts';

export const labelLicense: Rule = {
  id: 'LabelLicense',
  aliases: ['DL3054'],
  severity: 'warning',
  summary: 'A label of the format spdx holds an SPDX licence expression',
  fixable: true,
  checks: {
    LABEL: (instruction, scope) =>
      eachLabel(instruction, scope, 'spdx', ({ name, value, range }) => {
        if (isExpression(value)) return;
        const message = `label '${name}' should be a licence of the SPDX list such as Apache-2.0, not '${value}'`;
        scope.report({ message, range, ...valueFix(scope, range, asLicense(value)) });
      }),
  },
};

const LICENSES: ReadonlySet<string> = new Set([...SPDX_LICENSES].map((id) => id.toLowerCase()));
const EXCEPTIONS: ReadonlySet<string> = new Set([...SPDX_EXCEPTIONS].map((id) => id.toLowerCase()));

/** SPDX 2.3, annex D: identifiers with AND, OR, WITH and brackets. */
function isExpression(text: string): boolean {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  let depth = 0;
  let wanted: 'license' | 'operator' | 'exception' = 'license';
  for (const token of tokens) {
    const word = token.toUpperCase();
    if (wanted === 'license' && token === '(') depth++;
    else if (wanted === 'license' && isLicense(token)) wanted = 'operator';
    else if (wanted === 'exception' && EXCEPTIONS.has(token.toLowerCase())) wanted = 'operator';
    else if (wanted === 'operator' && token === ')' && depth > 0) depth--;
    else if (wanted === 'operator' && (word === 'AND' || word === 'OR')) wanted = 'license';
    else if (wanted === 'operator' && word === 'WITH') wanted = 'exception';
    else return false;
  }
  return depth === 0 && wanted === 'operator';
}

function isLicense(token: string): boolean {
  const id = token.toLowerCase();
  return (
    LICENSES.has(id) ||
    LICENSES.has(id.replace(/\+$/, '')) ||
    /^(DocumentRef-[\w.-]+:)?LicenseRef-[\w.-]+$/i.test(token)
  );
}

/** Names in use for licences of the list, in small letters without blanks, dots, dashes and the word licence. */
const USUAL: Readonly<Record<string, string | undefined>> = {
  apache: 'Apache-2.0',
  apache2: 'Apache-2.0',
  apache20: 'Apache-2.0',
  asl20: 'Apache-2.0',
  expat: 'MIT',
  mit: 'MIT',
  isc: 'ISC',
  bsd2: 'BSD-2-Clause',
  bsd2clause: 'BSD-2-Clause',
  bsd3: 'BSD-3-Clause',
  bsd3clause: 'BSD-3-Clause',
  gpl2: 'GPL-2.0-only',
  gpl20: 'GPL-2.0-only',
  gpl3: 'GPL-3.0-only',
  gpl30: 'GPL-3.0-only',
  lgpl21: 'LGPL-2.1-only',
  lgpl3: 'LGPL-3.0-only',
  agpl3: 'AGPL-3.0-only',
  mpl2: 'MPL-2.0',
  mpl20: 'MPL-2.0',
  epl2: 'EPL-2.0',
  cc0: 'CC0-1.0',
};

function asLicense(value: string): string | undefined {
  const key = value
    .toLowerCase()
    .replaceAll(/licen[cs]e|version|the |software|[\s.,_-]/g, '')
    .replace(/^([a-z]+)v(?=\d)/, '$1');
  return Object.hasOwn(USUAL, key) ? USUAL[key] : undefined;
}
