/** Docker's old links on the default bridge: lines of /etc/hosts and variables that name another container. On other networks links are names in the DNS. Pure but for the table. */

import type { HostConfig } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import { plainAddresses } from '../../network/naming.ts';
import { linkPair } from '../../network/wire.ts';
import type { Container } from '../container.ts';
import { checkPort } from '../request/config.ts';
import type { ContainerTable } from '../table.ts';

interface Link {
  readonly alias: string;
  readonly target: Container;
  readonly address: string;
}

/** The targets of a request's links exist. Throws invalid in Docker's words. */
export function checkLinks(links: readonly string[], table: ContainerTable): void {
  for (const link of links) {
    const [alias, reference] = linkPair(link);
    if (reference === '' || alias === '' || link.split(':').length > 2)
      throw new EngineError('invalid', `bad format for links: ${link}`);
    if (table.find(reference) === undefined)
      throw new EngineError(
        'invalid',
        `could not get container for ${reference}: No such container: ${reference}`,
      );
  }
}

/** The parent of a link `PARENT/ALIAS` and its settings without it, with the address that the alias has now. Throws invalid, not-found. */
export function withoutLink(
  reference: string,
  table: ContainerTable,
): {
  readonly parent: Container;
  readonly alias: string;
  readonly address: string | undefined;
  readonly hostConfig: HostConfig;
} {
  const path = reference.replace(/^\/+/, '');
  const at = path.lastIndexOf('/');
  if (at < 0) {
    throw new EngineError(
      'conflict',
      'Conflict, cannot remove the default link name of the container: a link is PARENT/ALIAS',
    );
  }
  const [name, alias] = [path.slice(0, at), path.slice(at + 1)];
  const parent = table.find(name);
  if (parent === undefined)
    throw new EngineError('not-found', `Cannot get parent ${name} for link name /${path}`);
  const { hostConfig } = parent.definition;
  const links = hostConfig.Links ?? [];
  const rest = links.filter((link) => linkPair(link)[0] !== alias);
  const gone = links.find((link) => linkPair(link)[0] === alias);
  if (gone === undefined) throw new EngineError('not-found', `No such link: /${path}`);
  const target = table.find(linkPair(gone)[1]);
  const endpoint = target?.state.network?.endpoints.find(
    ({ networkName }) => networkName === 'bridge',
  );
  const [address] = endpoint === undefined ? [] : plainAddresses(endpoint);
  return { parent, alias, address, hostConfig: { ...hostConfig, Links: rest } };
}

/** Address and names of each linked container. Throws conflict when one does not run. */
export function linkedHosts(container: Container, table: ContainerTable): [string, string][] {
  return linksOf(container, table).map(({ alias, target, address }) => {
    const hostname = target.definition.config.Hostname ?? '';
    // A name of the other container must not become a line of this one's file.
    const names = [alias, hostname, target.name].filter((name) => /^[^\s#]+$/.test(name));
    return [address, [...new Set(names)].join(' ')];
  });
}

/** `DB_PORT_5432_TCP_ADDR=…` and the like, as Docker sets them. */
export function linkVariables(container: Container, table: ContainerTable): string[] {
  return linksOf(container, table).flatMap(({ alias, target, address }) => {
    const prefix = alias.toUpperCase().replaceAll('-', '_');
    const ports = Object.keys(target.definition.config.ExposedPorts ?? {})
      .map((text) => checkPort(text, 'ExposedPorts'))
      .sort((a, b) => a.port - b.port);
    const url = ({ port, protocol }: { port: number; protocol: string }) =>
      `${protocol}://${address}:${String(port)}`;
    const [lowest] = ports;
    return [
      ...(lowest === undefined ? [] : [`${prefix}_PORT=${url(lowest)}`]),
      ...ports.flatMap((port) => {
        const name = `${prefix}_PORT_${String(port.port)}_${port.protocol.toUpperCase()}`;
        return [
          `${name}=${url(port)}`,
          `${name}_ADDR=${address}`,
          `${name}_PORT=${String(port.port)}`,
          `${name}_PROTO=${port.protocol}`,
        ];
      }),
      `${prefix}_NAME=/${container.name}/${alias}`,
      ...(target.definition.config.Env ?? [])
        .filter((entry) => !/^(HOME|PATH)=/.test(entry) && entry.includes('='))
        .map((entry) => `${prefix}_ENV_${entry}`),
    ];
  });
}

function linksOf(container: Container, table: ContainerTable): Link[] {
  const { hostConfig, networks } = container.definition;
  if (!('bridge' in networks)) return [];
  return (hostConfig.Links ?? []).map((link) => {
    const [alias, reference] = linkPair(link);
    const target = table.find(reference);
    const endpoint = target?.state.network?.endpoints.find(
      ({ networkName }) => networkName === 'bridge',
    );
    const [address] = endpoint === undefined ? [] : plainAddresses(endpoint);
    if (target?.isLive !== true || address === undefined) {
      throw new EngineError(
        'conflict',
        `Cannot link to a non running container: /${reference} AS /${container.name}/${alias}`,
      );
    }
    return { alias, target, address };
  });
}
