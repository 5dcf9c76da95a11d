/** Reads the short form of a compose port: `[[HOST_IP:][PUBLISHED]:]TARGET[/PROTOCOL]`, where ports may be ranges. */

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface Port {
  /** The container's port or ports. */
  readonly target: PortRange;
  /** The host's; undefined: any free one. */
  readonly published: PortRange | undefined;
  readonly hostIp: string | undefined;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}

export type ReadPort =
  { readonly port: Port } | { readonly port: undefined; readonly message: string };

/** Reads one port; the message says what is wrong with it. */
export function readPort(text: string): ReadPort {
  const slash = text.lastIndexOf('/');
  const protocol = readProtocol(slash < 0 ? 'tcp' : text.slice(slash + 1));
  if (protocol === undefined) return wrong(`'${text}': the protocol is tcp, udp or sctp`);
  const ports = slash < 0 ? text : text.slice(0, slash);
  const match = /^(?:(?:\[([0-9a-fA-F:.%a-z]+)\]|([^:[\]]*)):)?(?:([^:]*):)?([^:]+)$/.exec(ports);
  if (match === null)
    return wrong(`'${text}' is no port: it is [[host address:]published:]target[/protocol]`);
  const [, six, before, middle, inside] = match;
  const hasAddress = middle !== undefined || six !== undefined;
  const outside = hasAddress ? middle : before;
  const target = readRange(inside ?? '');
  if (target === undefined)
    return wrong(`'${text}': the container's port is a number from 1 to 65535, or a range`);
  const published =
    outside === undefined || outside === '' ? undefined : readRange(outside, { zero: true });
  if (published === undefined && outside) {
    return wrong(`'${text}': the host's port is a number from 0 to 65535, or a range`);
  }
  if (published !== undefined && !fits(published, target)) {
    return wrong(`'${text}': the ranges of the host's and the container's ports differ in length`);
  }
  const hostIp = hasAddress ? (six ?? before) : undefined;
  return { port: { target, published, hostIp: hostIp === '' ? undefined : hostIp, protocol } };
}

/** tcp, udp or sctp in any casing, else undefined. */
export function readProtocol(text: string): Port['protocol'] | undefined {
  return (['tcp', 'udp', 'sctp'] as const).find((known) => known === text.toLowerCase());
}

/** `80` or `80-90`; zero, any free port, only where it is allowed. */
export function readRange(
  text: string,
  { zero }: { readonly zero: boolean } = { zero: false },
): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= 65_535 && (zero || first > 0) ? { first, last } : undefined;
}

/** One container port may be published on any of a range; otherwise both have one length. */
function fits(published: PortRange, target: PortRange): boolean {
  const single = target.first === target.last;
  return single || published.last - published.first === target.last - target.first;
}

function wrong(message: string): ReadPort {
  return { port: undefined, message };
}
