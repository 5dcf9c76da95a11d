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
}

/** With loopback only, a container's own name is an address of loopback. */
export function hostsText(input: HostsInput): string {
  const isHost = input.host.NetworkMode === 'host';
  const base = isHost ? input.machineHosts.replace(/\n?$/, '\n') : LOCAL;
  const names =
    input.domainname === ''
      ? input.hostname
      : `${input.hostname}.${input.domainname} ${input.hostname}`;
  const extra = (input.host.ExtraHosts ?? []).map(parseExtraHost).map(({ name, address }) => {
    // On loopback only there is no gateway; the host's own network reaches the host at loopback.
    const resolved = address === 'host-gateway' ? '127.0.0.1' : address;
    return `${resolved}\t${name}\n`;
  });
  return `${base}${extra.join('')}${isHost ? '' : `127.0.0.1\t${names}\n`}`;
}

export interface ResolvInput {
  readonly host: Pick<HostConfig, 'Dns' | 'DnsSearch' | 'DnsOptions'>;
  readonly machineResolv: string;
}

/** The machine's resolv.conf with what the request replaces. */
export function resolvText({ host, machineResolv }: ResolvInput): string {
  const lines = machineResolv
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*[#;]/.test(line));
  const keep = (word: string) => lines.filter((line) => new RegExp(`^\\s*${word}\\s`).test(line));
  const servers =
    (host.Dns ?? []).length > 0
      ? (host.Dns ?? []).map((server) => `nameserver ${server}`)
      : keep('nameserver');
  const searches = (host.DnsSearch ?? []).filter((domain) => domain !== '.');
  const search =
    (host.DnsSearch ?? []).length > 0
      ? searches.length > 0
        ? [`search ${searches.join(' ')}`]
        : []
      : keep('(?:search|domain)');
  const options =
    (host.DnsOptions ?? []).length > 0
      ? [`options ${(host.DnsOptions ?? []).join(' ')}`]
      : keep('options');
  return [...servers, ...search, ...options].map((line) => `${line}\n`).join('');
}
