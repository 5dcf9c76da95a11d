/** The flags of `run` that are about networks, as the request's endpoints. Pure; throws `invalid` naming the flag. */

import type { ContainerCreateRequest, EndpointSettings } from '../lib/api/containers.ts';
import { EngineError } from '../lib/errors.ts';
import type { ContainerFlags } from './container-flags.ts';
import { split } from './pairs.ts';

export interface NetworkFlag {
  readonly name: string;
  readonly settings: EndpointSettings;
}

/** `--network NAME` or `--network name=NAME,alias=A,ip=…`, in the order given; the first is the container's mode. */
export function networksOf(flags: Pick<ContainerFlags, 'network' | 'net'>): NetworkFlag[] {
  return [...flags.network, ...flags.net].map(networkFlag);
}

/** The endpoints of all networks; flags without a network's name are the first one's. */
export function networking(
  flags: ContainerFlags,
): Pick<ContainerCreateRequest, 'NetworkingConfig'> {
  const [first = { name: 'default', settings: {} }, ...others] = networksOf(flags);
  const own = withFlags(first, flags);
  const endpoints = Object.fromEntries(
    [own, ...others].map(({ name, settings }) => [name, settings]),
  );
  const isPlain = others.length === 0 && Object.keys(own.settings).length === 0;
  return isPlain ? {} : { NetworkingConfig: { EndpointsConfig: endpoints } };
}

function networkFlag(text: string): NetworkFlag {
  if (!text.includes('=')) return { name: text, settings: {} };
  let name = '';
  const settings: EndpointSettings = {};
  for (const part of text.split(',')) {
    const [key, value] = split(part, '=');
    if (key === 'name') name = value;
    else if (key === 'alias') settings.Aliases = [...(settings.Aliases ?? []), value];
    else if (key === 'ip') settings.IPAMConfig = { ...settings.IPAMConfig, IPv4Address: value };
    else if (key === 'ip6') settings.IPAMConfig = { ...settings.IPAMConfig, IPv6Address: value };
    else if (key === 'mac-address') settings.MacAddress = value;
    else if (key === 'link-local-ip') {
      const LinkLocalIPs = [...(settings.IPAMConfig?.LinkLocalIPs ?? []), value];
      settings.IPAMConfig = { ...settings.IPAMConfig, LinkLocalIPs };
    } else if (key === 'driver-opt') {
      const [option, choice] = split(value, '=');
      settings.DriverOpts = { ...settings.DriverOpts, [option]: choice };
    } else if (key === 'gw-priority' && /^-?\d+$/.test(value)) settings.GwPriority = Number(value);
    else throw new EngineError('invalid', `--network: unexpected '${part}' in '${text}'`);
  }
  if (name === '') throw new EngineError('invalid', `--network: no name in '${text}'`);
  return { name, settings };
}

function withFlags(first: NetworkFlag, flags: ContainerFlags): NetworkFlag {
  const { ip, ip6, macAddress, networkAlias } = flags;
  const address = {
    ...(ip === undefined ? {} : { IPv4Address: ip }),
    ...(ip6 === undefined ? {} : { IPv6Address: ip6 }),
  };
  const aliases = [...(first.settings.Aliases ?? []), ...networkAlias];
  return {
    name: first.name,
    settings: {
      ...first.settings,
      ...(Object.keys(address).length === 0
        ? {}
        : { IPAMConfig: { ...first.settings.IPAMConfig, ...address } }),
      ...(aliases.length === 0 ? {} : { Aliases: aliases }),
      ...(macAddress === undefined ? {} : { MacAddress: macAddress }),
    },
  };
}
