/** The meaning of the filters that several resources share: labels and truth values. */

import { EngineError } from '../../../lib/errors.ts';
import type { Filters } from '../../../lib/api/system.ts';

type Labels = Readonly<Record<string, string>> | null | undefined;

/** Whether the labels satisfy `label` (all of them) and `label!` (none of them). */
export function matchesLabels(labels: Labels, filters: Filters): boolean {
  const wanted = filters['label'] ?? [];
  const unwanted = filters['label!'] ?? [];
  return (
    wanted.every((text) => hasLabel(labels, text)) &&
    !unwanted.some((text) => hasLabel(labels, text))
  );
}

/** `key` or `key=value`. */
function hasLabel(labels: Labels, text: string): boolean {
  const at = text.indexOf('=');
  const key = at < 0 ? text : text.slice(0, at);
  if (labels === null || labels === undefined || !Object.hasOwn(labels, key)) return false;
  return at < 0 || labels[key] === text.slice(at + 1);
}

/** The value of a filter that is a truth value; undefined when it is not given. */
export function truth(filters: Filters, name: string): boolean | undefined {
  const values = filters[name];
  if (values === undefined || values.length === 0) return undefined;
  const [value] = values;
  if (values.length === 1 && (value === '1' || value === 'true')) return true;
  if (values.length === 1 && (value === '0' || value === 'false')) return false;
  throw new EngineError(
    'invalid',
    `invalid filter '${name}=${values.join(',').slice(0, 100)}': true or false is expected`,
  );
}
