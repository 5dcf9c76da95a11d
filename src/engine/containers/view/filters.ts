/** The filters of `docker ps` and `docker container prune`. Pure; unknown ones and bad values are refused. */

import { EngineError } from '../../../lib/errors.ts';
import type { Container } from '../container.ts';
import { checkPort } from '../request/config.ts';
import type { Filters } from '../types.ts';
import { networkNames } from '../networking/settings.ts';

/** What a filter may ask about the world outside its container. */
export interface FilterFacts {
  /** Throws not-found for `before` and `since`. */
  container(reference: string): Container;
  /** Ids of the image and of every image it was built from. */
  ancestry(imageId: string): readonly string[];
  /** The image's id, undefined when there is none. */
  imageId(reference: string): string | undefined;
  networkId(name: string): string;
}

type Test = (container: Container, value: string, facts: FilterFacts) => boolean;

const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const HEALTHS = ['none', 'starting', 'healthy', 'unhealthy'];

const TESTS: Readonly<Record<string, Test>> = {
  id: (container, value) => matches(container.id, value),
  name: (container, value) =>
    matches(container.name, value.replace(/^\//, '')) || matches(`/${container.name}`, value),
  label: (container, value) => hasLabel(container.definition.config.Labels ?? {}, value),
  'label!': (container, value) => !hasLabel(container.definition.config.Labels ?? {}, value),
  exited: (container, value) => {
    if (!/^-?[0-9]+$/.test(value)) throw bad('exited', value);
    return (
      !container.isRunning &&
      container.state.status !== 'created' &&
      container.state.exitCode === Number(value)
    );
  },
  status: (container, value) => {
    if (!STATUSES.includes(value)) throw bad('status', value);
    return container.state.status === value;
  },
  health: (container, value) => {
    if (!HEALTHS.includes(value)) throw bad('health', value);
    return (container.health?.Status ?? 'none') === value;
  },
  ancestor: (container, value, facts) => {
    const wanted = facts.imageId(value);
    return wanted !== undefined && facts.ancestry(container.definition.imageId).includes(wanted);
  },
  before: (container, value, facts) => created(container) < created(facts.container(value)),
  since: (container, value, facts) => created(container) > created(facts.container(value)),
  volume: (container, value) =>
    container.definition.mounts.some(
      (mount) => mount.name === value || mount.destination === value || mount.source === value,
    ),
  network: (container, value, facts) => {
    return networkNames(container).some(
      (name) => name === value || (value !== '' && facts.networkId(name).startsWith(value)),
    );
  },
  'is-task': (_container, value) => value === 'false' || value === '0',
  expose: (container, value) =>
    inPorts(Object.keys(container.definition.config.ExposedPorts ?? {}), value, 'expose'),
  publish: (container, value) =>
    inPorts(Object.keys(container.definition.hostConfig.PortBindings ?? {}), value, 'publish'),
};

/** `until` is prune's own. */
const PRUNE_ONLY = ['until'];

/** True when the container passes every filter; of one filter's values one suffices, of labels all. */
export function passes(container: Container, filters: Filters, facts: FilterFacts): boolean {
  return Object.entries(filters).every(([name, values]) => {
    if (PRUNE_ONLY.includes(name) || values.length === 0) return true;
    const test = TESTS[name];
    if (test === undefined) throw new EngineError('invalid', `invalid filter '${name}'`);
    const pass = (value: string) => test(container, value, facts);
    return name.startsWith('label') ? values.every(pass) : values.some(pass);
  });
}

export function checkPruneFilters(filters: Filters): void {
  for (const name of Object.keys(filters)) {
    if (!['label', 'label!', 'until'].includes(name))
      throw new EngineError('invalid', `invalid filter '${name}'`);
  }
}

/** Filters that look at stopped containers switch `all` on, as Docker does. */
export function impliesAll(filters: Filters): boolean {
  return ['status', 'exited', 'before', 'since'].some(
    (name) => (filters[name]?.length ?? 0) > 0 && name !== 'since' && name !== 'before',
  );
}

/** Docker matches ids and names as regular expressions. */
function matches(text: string, pattern: string): boolean {
  if (text.startsWith(pattern) || text.includes(pattern)) return true;
  if (pattern.length > 200) return false;
  try {
    return new RegExp(pattern).test(text);
  } catch {
    throw bad('name', pattern);
  }
}

function hasLabel(labels: Readonly<Record<string, string>>, value: string): boolean {
  const at = value.indexOf('=');
  const key = at < 0 ? value : value.slice(0, at);
  const actual = labels[key];
  return actual !== undefined && (at < 0 || actual === value.slice(at + 1));
}

function inPorts(ports: readonly string[], value: string, filter: string): boolean {
  const [range = '', protocol = 'tcp'] = value.split('/');
  const [first = '', last = first] = range.split('-');
  const low = checkPort(first, filter).port;
  const high = checkPort(last, filter).port;
  return ports
    .map((port) => checkPort(port, filter))
    .some((port) => port.protocol === protocol && port.port >= low && port.port <= high);
}

function created(container: Container): number {
  return Date.parse(container.definition.created);
}

function bad(name: string, value: string): EngineError {
  return new EngineError('invalid', `invalid filter '${name}=${value}'`);
}
