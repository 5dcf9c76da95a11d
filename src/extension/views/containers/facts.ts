/** What a container's summary says, read so that nothing of it is trusted to be there: Podman and old engines send null. Pure. */
import type { ContainerSummary } from '../../../lib/api/containers.ts';
import { span } from '../text.ts';

/** The same summary, but as engines really send it. */
export type Sent<T> = { readonly [K in keyof T]?: T[K] | null };

export type Health = 'none' | 'starting' | 'healthy' | 'unhealthy';

export interface Port {
  readonly port: number;
  readonly protocol: string;
  readonly published: { readonly address: string; readonly port: number } | undefined;
}

const COMPOSE_LABELS = ['com.docker.compose.project', 'io.podman.compose.project'] as const;

export function sent(summary: ContainerSummary): Sent<ContainerSummary> {
  return summary;
}

/** Without its slash; links (`/other/alias`) are names only when there is no other. */
export function nameOf(summary: ContainerSummary): string {
  const names: readonly string[] = sent(summary).Names ?? [];
  const own = names.find((name) => !name.slice(1).includes('/')) ?? names[0];
  return own === undefined || own === '' ? summary.Id.slice(0, 12) : own.replace(/^\//, '');
}

export function labelOf(summary: ContainerSummary, key: string): string | undefined {
  const labels = sent(summary).Labels ?? {};
  const value: unknown = Object.hasOwn(labels, key) ? labels[key] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function projectOf(summary: ContainerSummary): string | undefined {
  for (const key of COMPOSE_LABELS) {
    const project = labelOf(summary, key);
    if (project !== undefined) return project;
  }
  return undefined;
}

/** Podman has states of its own: `stopped`, `configured`, `initialized`. */
export function stateOf(summary: ContainerSummary): ContainerSummary['State'] {
  const state: string = sent(summary).State ?? 'created';
  switch (state.toLowerCase()) {
    case 'running':
    case 'stopping':
      return 'running';
    case 'paused':
      return 'paused';
    case 'restarting':
      return 'restarting';
    case 'removing':
      return 'removing';
    case 'exited':
    case 'stopped':
      return 'exited';
    case 'dead':
      return 'dead';
    default:
      return 'created';
  }
}

export function healthOf(summary: ContainerSummary): Health {
  if (stateOf(summary) !== 'running') return 'none';
  const found = /\((?:health: )?(starting|healthy|unhealthy)\)/.exec(sent(summary).Status ?? '');
  return (found?.[1] as Health | undefined) ?? 'none';
}

/** Undefined where it has not ended. */
export function exitCodeOf(summary: ContainerSummary): number | undefined {
  const found = /^(?:Exited|Restarting) \((\d{1,10})\)/.exec(sent(summary).Status ?? '');
  return found?.[1] === undefined ? undefined : Number(found[1]);
}

/** Each port once, though engines list it for IPv4 and for IPv6; published ones first, by number. */
export function portsOf(summary: ContainerSummary): readonly Port[] {
  const found = new Map<string, Port>();
  for (const entry of sent(summary).Ports ?? []) {
    const { IP, PrivatePort, PublicPort, Type } = entry as Sent<typeof entry>;
    if (!isPort(PrivatePort)) continue;
    const protocol = typeof Type === 'string' && /^[a-z]{2,5}$/.test(Type) ? Type : 'tcp';
    const address = typeof IP === 'string' ? IP : '';
    const published = isPort(PublicPort) ? { address, port: PublicPort } : undefined;
    const every = isEveryAddress(address) ? '*' : address;
    const key = `${PrivatePort}/${protocol} ${published === undefined ? '' : `${every} ${published.port}`}`;
    if (!found.has(key) || address === '0.0.0.0')
      found.set(key, { port: PrivatePort, protocol, published });
  }
  const rank = ({ published }: Port): number => (published === undefined ? 1 : 0);
  return [...found.values()].sort(
    (a, b) =>
      rank(a) - rank(b) || a.port - b.port || (a.published?.port ?? 0) - (b.published?.port ?? 0),
  );
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536;
}

export function isEveryAddress(address: string): boolean {
  return address === '' || address === '0.0.0.0' || address === '::';
}

export interface Attachment {
  /** '' where the container has never been started, and of Podman. */
  readonly id: string;
  readonly name: string;
  readonly address: string;
}

export function networksOf(summary: ContainerSummary): readonly Attachment[] {
  const networks = sent(summary).NetworkSettings?.Networks as
    Record<string, Sent<{ NetworkID: string; IPAddress: string }> | null> | null | undefined;
  return Object.entries(networks ?? {}).map(([name, settings]) => {
    const id = settings?.NetworkID ?? '';
    // Podman says the name for the id, and calls its own network `bridge` in the list of networks alone.
    const byName = id === name;
    return {
      id: byName ? '' : id,
      name: byName && name === 'podman' ? 'bridge' : name,
      address: settings?.IPAddress ?? '',
    };
  });
}

/** Whether the container is on that network, running or not. */
export function isOn(
  summary: ContainerSummary,
  network: { readonly id: string; readonly name: string },
): boolean {
  return networksOf(summary).some(({ id, name }) =>
    id === '' ? name === network.name : id === network.id,
  );
}

/** `bridge`, `host`, `container:ID`; empty where the engine does not say it. */
export function networkModeOf(summary: ContainerSummary): string {
  return sent(summary).HostConfig?.NetworkMode ?? '';
}

export interface Mounted {
  readonly type: string;
  /** A volume's name, or a path of the host. */
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}

export function mountsOf(summary: ContainerSummary): readonly Mounted[] {
  const mounts: readonly unknown[] = sent(summary).Mounts ?? [];
  return mounts.flatMap((mount) => {
    // Podman sends the targets alone.
    if (typeof mount === 'string') return [{ type: '', source: '', target: mount, writable: true }];
    if (typeof mount !== 'object' || mount === null) return [];
    const { Type, Name, Source, Destination, RW } = mount as Sent<
      ContainerSummary['Mounts'][number]
    >;
    const type = Type ?? '';
    const source = type === 'volume' ? (Name ?? Source ?? '') : (Source ?? '');
    return [{ type, source, target: Destination ?? '', writable: RW !== false }];
  });
}

/** When its state began, read from a text that counts from `now` (ms since the epoch). */
export interface Since {
  readonly before: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly after: string;
}

const SECONDS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 7 * 86_400,
  month: 30 * 86_400,
  year: 365 * 86_400,
};

const SPAN =
  /(?:less than (?:a|one) second|about (?:a|an) (minute|hour)|(?<!\d)(\d{1,6}) (second|minute|hour|day|week|month|year)s?)/i;

/** Splits `Up 3 minutes (healthy)` so that the time in it can be told anew later; undefined where it has none. */
export function sinceOf(status: string, now: number): Since | undefined {
  const found = SPAN.exec(status);
  if (found === null) return undefined;
  const unit = (found[1] ?? found[3] ?? 'second').toLowerCase();
  const count = found[2] !== undefined ? Number(found[2]) : found[1] === undefined ? 0 : 1;
  return {
    before: status.slice(0, found.index),
    at: now - count * (SECONDS[unit] ?? 1) * 1000,
    after: status.slice(found.index + found[0].length),
  };
}

/** The status at another time: `Up 4 minutes (healthy)`. */
export function statusAt({ before, at, after }: Since, now: number): string {
  return `${before}${span((now - at) / 1000)}${after}`;
}
