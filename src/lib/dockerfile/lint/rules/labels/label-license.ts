/** LabelLicense: a label of the format spdx holds a licence expression of the SPDX list. */
import type { Rule } from '../../rule.ts';
import { eachLabel } from './label-values.ts';
import { SPDX_EXCEPTIONS, SPDX_LICENSES } from './spdx-ids.ts';

export const labelLicense: Rule = {
  id: 'LabelLicense',
  aliases: ['DL3054'],
  severity: 'warning',
  summary: 'A label of the format spdx holds an SPDX licence expression',
  fixable: false,
  checks: {
    LABEL: (instruction, scope) =>
      eachLabel(instruction, scope, 'spdx', ({ name, value, range }) => {
        if (isExpression(value)) return;
        const message = `label '${name}' should be a licence of the SPDX list such as Apache-2.0, not '${value}'`;
        scope.report({ message, range });
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
