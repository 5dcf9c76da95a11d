/** Writes a container's own /etc/hosts, /etc/hostname and /etc/resolv.conf, and says how they are bound. What the container changes in them later is kept when its networks change. */

import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname as machineName } from 'node:os';
import { knowsNames, mainEndpoint, plainAddresses } from '../../network/naming.ts';
import type { Endpoint } from '../../network/types.ts';
import type { OciMount } from '../../runtime/spec.ts';
import type { Container } from '../container.ts';
import { linkedHosts } from '../networking/links.ts';
import type { ContainerPlaces } from '../parts.ts';
import type { ContainerTable } from '../table.ts';
import { hostsText, movedHosts, resolvText } from './hosts.ts';

export function hostNameOf(container: Container): string {
  const name = container.definition.config.Hostname ?? '';
  return name === '' ? machineName() : name;
}

/** Docker rewrites the three files at every start; one that joins another container's network has that one's. */
export async function ownFiles(
  container: Container,
  facts: {
    readonly files: ContainerPlaces;
    /** The files of the container whose network it joins. */
    readonly joined: ContainerPlaces | undefined;
    readonly endpoints: readonly Endpoint[];
    readonly table: ContainerTable;
  },
): Promise<OciMount[]> {
  const { files, joined, endpoints } = facts;
  await mkdir(files.dir, { recursive: true, mode: 0o710 });
  const { hostConfig } = container.definition;
  const shown = joined ?? files;
  if (joined === undefined) {
    const isHost = hostConfig.NetworkMode === 'host';
    const machineHosts = isHost ? await readFile('/etc/hosts', 'utf8').catch(() => '') : '';
    await Promise.all([
      place(files.hostname, `${hostNameOf(container)}\n`),
      place(
        files.hosts,
        hostsText({
          host: hostConfig,
          ...namesIn(container),
          machineHosts,
          addresses: endpoints.flatMap(plainAddresses),
          gateway: gatewayOf(endpoints),
          links: linkedHosts(container, facts.table),
        }),
      ),
      resolvOf(container, endpoints).then((text) => place(files.resolvConf, text)),
    ]);
  }
  const ro = hostConfig.ReadonlyRootfs === true ? ['ro'] : [];
  const bind = (destination: string, source: string): OciMount => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', ...ro],
  });
  return [
    bind('/etc/resolv.conf', shown.resolvConf),
    bind('/etc/hostname', shown.hostname),
    bind('/etc/hosts', shown.hosts),
  ];
}

/** After a running container's networks changed: its own addresses in hosts, and the name server when it is another one. */
export async function rewriteFiles(
  container: Container,
  files: ContainerPlaces,
  change: { readonly before: readonly Endpoint[]; readonly after: readonly Endpoint[] },
): Promise<void> {
  const hosts = await readFile(files.hosts, 'utf8').catch(() => '');
  const addresses = (endpoints: readonly Endpoint[]) =>
    endpoints.length === 0 ? ['127.0.0.1'] : endpoints.flatMap(plainAddresses);
  const before = addresses(change.before).filter((address) => address !== '127.0.0.1');
  const after = change.after.flatMap(plainAddresses);
  // Written over, not replaced: the container has this very file.
  await writeFile(files.hosts, movedHosts(hosts, namesIn(container), { before, after }));
  const [old, now, next] = await Promise.all([
    resolvOf(container, change.before),
    readFile(files.resolvConf, 'utf8').catch(() => ''),
    resolvOf(container, change.after),
  ]);
  if (now === old && next !== old) await writeFile(files.resolvConf, next);
}

/** Takes the line of a link away. */
export async function forgetHost(
  files: ContainerPlaces,
  line: { readonly address: string; readonly alias: string },
): Promise<void> {
  const text = await readFile(files.hosts, 'utf8').catch(() => '');
  const isIt = (words: readonly string[]) => words[0] === line.address && words[1] === line.alias;
  const kept = text.split('\n').filter((one) => !isIt(one.split(/\s+/)));
  // Written over, not replaced: the container has this very file.
  await writeFile(files.hosts, kept.join('\n'));
}

function namesIn(container: Container): { hostname: string; domainname: string } {
  const domainname = container.definition.config.Domainname ?? '';
  return { hostname: hostNameOf(container), domainname };
}

async function resolvOf(container: Container, endpoints: readonly Endpoint[]): Promise<string> {
  return resolvText({
    host: container.definition.hostConfig,
    machineResolv: await readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
    server: gatewayOf(endpoints),
    knowsNames: knowsNames(endpoints),
  });
}

/** The gateway that the container asks for names, and that stands for the host. */
function gatewayOf(endpoints: readonly Endpoint[]): string | undefined {
  return mainEndpoint(endpoints)?.gateways[0];
}

/** Readable by every user of the container, whatever the engine's umask. */
async function place(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o644);
}
