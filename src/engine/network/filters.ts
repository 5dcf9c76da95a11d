/** The filters of `docker network ls` and `prune`. Pure; unknown ones and bad values are refused. */

import { EngineError } from '../../lib/errors.ts';
import type { NetworkFilters, NetworkRecord } from './types.ts';

interface Facts {
  /** Whether somebody is connected. */
  readonly isUsed: (network: NetworkRecord) => boolean;
}

type Test = (network: NetworkRecord, value: string, facts: Facts) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  name: (network, value) => network.name.includes(value) || isMatch(network.name, value),
  id: (network, value) => network.id.startsWith(value),
  driver: (network, value) => network.driver === value,
  scope: (_network, value) => value === 'local',
  type: (network, value) => {
    if (value !== 'builtin' && value !== 'custom')
      throw new EngineError('invalid', `invalid filter: 'type'='${value}'`);
    return network.predefined === (value === 'builtin');
  },
  label: (network, value) => hasLabel(network, value),
  'label!': (network, value) => !hasLabel(network, value),
  dangling: (network, value, facts) => {
    if (!['true', 'false', '1', '0'].includes(value))
      throw new EngineError('invalid', `invalid value for filter 'dangling': '${value}'`);
    const isDangling = !network.predefined && !facts.isUsed(network);
    return isDangling === (value === 'true' || value === '1');
  },
};

/** Of one filter's values one suffices, of labels all. */
export function passes(network: NetworkRecord, filters: NetworkFilters, facts: Facts): boolean {
  return Object.entries(filters).every(([name, values]) => {
    const test = TESTS[name];
    if (test === undefined) throw new EngineError('invalid', `invalid filter '${name}'`);
    const pass = (value: string) => test(network, value, facts);
    if (values.length === 0) return true;
    return name.startsWith('label') ? values.every(pass) : values.some(pass);
  });
}

/** prune's own: older than every `until`, in milliseconds since the epoch. */
export function prunes(
  network: NetworkRecord,
  filters: NetworkFilters,
  facts: Facts & { readonly now: Date },
): boolean {
  const { until, ...others } = filters;
  for (const name of Object.keys(others)) {
    if (name !== 'label' && name !== 'label!')
      throw new EngineError('invalid', `invalid filter '${name}'`);
  }
  const isOld = (until ?? []).every(
    (text) => Date.parse(network.created) < untilTime(text, facts.now),
  );
  return isOld && passes(network, others, facts);
}

/** `10m`, `24h`, a date, or seconds since the epoch; milliseconds out. */
function untilTime(text: string, now: Date): number {
  const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/([0-9]+)(s|m|h)/g)];
  if (parts.length > 0 && parts.map(([whole]) => whole).join('') === text) {
    const span = parts.reduce(
      (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0),
      0,
    );
    return now.getTime() - span;
  }
  const time = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(time)) throw new EngineError('invalid', `invalid filter 'until=${text}'`);
  return time;
}

function hasLabel(network: NetworkRecord, value: string): boolean {
  const [key = '', wanted] = value.split(/=(.*)/s);
  const actual = network.labels[key];
  return actual !== undefined && (wanted === undefined || actual === wanted);
}

/** Docker matches names as regular expressions. */
function isMatch(name: string, pattern: string): boolean {
  if (pattern.length > 200) return false;
  try {
    return new RegExp(pattern).test(name);
  } catch {
    return false;
  }
}
