/** The text of a container's /etc/hosts, /etc/hostname and /etc/resolv.conf. Pure. */

import type { HostConfig } from '../../../lib/api/containers.ts';
import { parseExtraHost } from '../request/host-config.ts';

const LOCAL = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

export interface HostsInput {
  readonly host: Pick<HostConfig, 'ExtraHosts' | 'NetworkMode'>;
  readonly hostname: string;
  readonly domainname: string;
  /** The machine's own /etc/hosts, used on the host network. */
  readonly machineHosts: string;
  /** The container's own, without prefix lengths; empty with loopback only. */
  readonly addresses?: readonly string[];
  /** What `host-gateway` stands for. */
  readonly gateway?: string | undefined;
  /** Linked containers: address → names. */
  readonly links?: readonly (readonly [address: string, names: string])[];
}

/** With loopback only, a container's own name is an address of loopback. */
export function hostsText(input: HostsInput): string {
  const isHost = input.host.NetworkMode === 'host';
  const base = isHost ? input.machineHosts.replace(/\n?$/, '\n') : LOCAL;
  const extra = (input.host.ExtraHosts ?? []).map(parseExtraHost).map(({ name, address }) => {
    // On loopback only there is no gateway; the host's own network reaches the host at loopback.
    const resolved = address === 'host-gateway' ? (input.gateway ?? '127.0.0.1') : address;
    return `${resolved}\t${name}\n`;
  });
  const links = (input.links ?? []).map(([address, names]) => `${address}\t${names}\n`);
  const own = isHost ? '' : ownLines(input, input.addresses ?? []);
  return `${base}${extra.join('')}${links.join('')}${own}`;
}

/** The lines that give the container's addresses its name. */
function ownLines(
  { hostname, domainname }: Pick<HostsInput, 'hostname' | 'domainname'>,
  addresses: readonly string[],
): string {
  const names = domainname === '' ? hostname : `${hostname}.${domainname} ${hostname}`;
  const all = addresses.length === 0 ? ['127.0.0.1'] : addresses;
  return all.map((address) => `${address}\t${names}\n`).join('');
}

/** A file that the container may have changed meanwhile, with its own lines exchanged and everything else as it is. */
export function movedHosts(
  text: string,
  input: Pick<HostsInput, 'hostname' | 'domainname'>,
  change: { readonly before: readonly string[]; readonly after: readonly string[] },
): string {
  const gone = new Set(change.before);
  const kept = text
    .replace(/\n?$/, '\n')
    .split('\n')
    .slice(0, -1)
    .filter((line) => !gone.has(line.split(/\s/)[0] ?? ''));
  return `${kept.map((line) => `${line}\n`).join('')}${ownLines(input, change.after)}`;
}

export interface ResolvInput {
  readonly host: Pick<HostConfig, 'Dns' | 'DnsSearch' | 'DnsOptions'>;
  readonly machineResolv: string;
  /** The gateway that answers for names; undefined where the machine's own servers are asked. */
  readonly server?: string | undefined;
  /** Names of other containers are known at that server, which itself asks what the request names. */
  readonly knowsNames?: boolean;
}

/** The machine's resolv.conf with what the request and the network replace. */
export function resolvText(input: ResolvInput): string {
  const { host, machineResolv, server } = input;
  const lines = machineResolv
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*[#;]/.test(line));
  const keep = (word: string) => lines.filter((line) => new RegExp(`^\\s*${word}\\s`).test(line));
  const asked = (host.Dns ?? []).filter((one) => input.knowsNames !== true || isOwnServer(one));
  const named = (servers: readonly string[]) => servers.map((one) => `nameserver ${one}`);
  const own =
    server === undefined || (asked.length > 0 && input.knowsNames !== true) ? [] : [server];
  const servers = [...own, ...asked];
  const searches = (host.DnsSearch ?? []).filter((domain) => domain !== '.');
  const search =
    (host.DnsSearch ?? []).length > 0
      ? searches.length > 0
        ? [`search ${searches.join(' ')}`]
        : []
      : keep('(?:search|domain)');
  const options = optionsOf(host.DnsOptions ?? [], {
    machine: keep('options'),
    knowsNames: input.knowsNames === true,
  });
  return [...(servers.length > 0 ? named(servers) : keep('nameserver')), ...search, ...options]
    .map((line) => `${line}\n`)
    .join('');
}

/** A server in the container itself, which nobody else can ask for it. */
export function isOwnServer(address: string): boolean {
  return /^127\.|^(?:0*:)*:?0*1$/.test(address);
}

/** The request's options, else the machine's; where names have no dots, one without any is asked for as it is. */
function optionsOf(
  asked: readonly string[],
  facts: { readonly machine: readonly string[]; readonly knowsNames: boolean },
): string[] {
  const words =
    asked.length > 0
      ? [...asked]
      : facts.machine.flatMap((line) => line.trim().split(/\s+/).slice(1));
  if (facts.knowsNames && !words.some((word) => word.startsWith('ndots:'))) words.push('ndots:0');
  return words.length === 0 ? [] : [`options ${words.join(' ')}`];
}
