/** `network …` and `port`: the networks, who is on them, and where ports are published. */

import type { Command } from 'commander';
import type { EndpointSettings, PortMap } from '../../lib/api/containers.ts';
import type { IpamConfig, NetworkCreateRequest, NetworkInfo } from '../../lib/api/system.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Context, Register } from '../context.ts';
import { shortId } from '../output/human.ts';
import { filters, writeList, type ListFlags } from '../output/list.ts';
import { compile, type Value } from '../output/template.ts';
import { pairs } from '../pairs.ts';
import { each } from './lifecycle.ts';

interface CreateFlags {
  driver: string;
  opt: string[];
  label: string[];
  subnet: string[];
  ipRange: string[];
  gateway: string[];
  auxAddress: string[];
  internal?: boolean;
  attachable?: boolean;
  ipv6?: boolean;
  ipv4: boolean;
}

interface ConnectFlags {
  ip?: string;
  ip6?: string;
  alias: string[];
  link: string[];
  driverOpt: string[];
  gwPriority?: string;
}

export const network: Register = (program, context) => {
  const group = program.command('network').description('networks and who is on them');
  listing(group, context);
  making(group, context);
  joining(group, context);
  program
    .command('port')
    .description("show where a container's ports are published")
    .argument('<container>')
    .argument('[port]', 'port[/protocol]')
    .action(async (name: string, wanted: string | undefined) => {
      const client = await context.engine();
      const { NetworkSettings } = await client.containers.inspect(name);
      context.stdout.write(portLines(NetworkSettings.Ports, wanted, name));
    });
};

/** An option that may be given several times. */
function many(command: Command, flags: string, text: string): Command {
  return command.option(
    flags,
    text,
    (value: string, all: string[]) => [...all, value],
    [] as string[],
  );
}

function listing(group: Command, context: Context): void {
  const ls = group
    .command('ls')
    .alias('list')
    .description('list networks')
    .option('-q, --quiet', 'ids only')
    .option('--no-trunc', 'whole ids')
    .option('--format <template>', 'a Go template, json or table')
    .option('--json', 'one JSON object a line');
  many(ls, '-f, --filter <name=value>', 'filter').action(async (flags: ListFlags) => {
    const client = await context.engine();
    const list = await client.networks.list(filters(flags.filter));
    writeList(
      list
        .sort((a, b) => (a.Name < b.Name ? -1 : 1))
        .map((info) => row(info, { trunc: flags.trunc })),
      { columns: ['ID', 'Name', 'Driver', 'Scope'], heads: { ID: 'NETWORK ID' }, quiet: 'ID' },
      flags,
      context.stdout,
    );
  });
  group
    .command('inspect')
    .description('show the details of networks')
    .argument('<networks...>')
    .option('-f, --format <template>', 'a Go template or json')
    .option('-v, --verbose', 'as docker takes it: there is no more to show')
    .action(async (names: string[], flags: { format?: string }) => {
      const client = await context.engine();
      const found: NetworkInfo[] = [];
      for (const name of names) found.push(await client.networks.inspect(name));
      if (flags.format === undefined || flags.format === 'json') {
        const indent = flags.format === 'json' ? 0 : 4;
        context.stdout.write(`${JSON.stringify(found, null, indent)}\n`);
        return;
      }
      const template = compile(flags.format);
      for (const item of found) context.stdout.write(`${template(item as unknown as Value)}\n`);
    });
}

function row(info: NetworkInfo, options: { trunc: boolean }): Record<string, Value> {
  return {
    ID: options.trunc ? shortId(info.Id) : info.Id,
    Name: info.Name,
    Driver: info.Driver,
    Scope: info.Scope,
    IPv6: String(info.EnableIPv6),
    Internal: String(info.Internal),
    Labels: Object.entries(info.Labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    CreatedAt: info.Created,
  };
}

function making(group: Command, context: Context): void {
  const create = group
    .command('create')
    .description('make a network')
    .argument('<name>')
    .option('-d, --driver <name>', 'bridge', 'bridge')
    .option('--internal', 'without a way outside')
    .option('--attachable', 'as docker takes it')
    .option('--ipv6', 'with IPv6 addresses')
    .option('--no-ipv4', 'without IPv4 addresses');
  many(create, '-o, --opt <key=value>', 'option of the driver');
  many(create, '--label <key[=value]>', 'label');
  many(create, '--subnet <cidr>', 'address range');
  many(create, '--ip-range <cidr>', 'where addresses are chosen from');
  many(create, '--gateway <address>', "the engine's own address on it");
  many(create, '--aux-address <name=address>', 'never given out');
  create.action(async (name: string, flags: CreateFlags) => {
    const client = await context.engine();
    const { Id, Warning } = await client.networks.create(createRequest(name, flags));
    if (Warning !== '') context.stderr.write(`WARNING: ${Warning}\n`);
    context.stdout.write(`${Id}\n`);
  });
  group
    .command('rm')
    .alias('remove')
    .description('remove networks')
    .argument('<networks...>')
    .action(async (names: string[]) => {
      const client = await context.engine();
      await each(names, context, (name) => client.networks.remove(name));
    });
  const prune = group
    .command('prune')
    .description('remove the networks that nobody is on')
    .option('-f, --force', 'as docker takes it: nothing is asked');
  many(prune, '--filter <name=value>', 'until, label, label!').action(
    async (flags: { filter: string[] }) => {
      const client = await context.engine();
      const { NetworksDeleted } = await client.networks.prune(filters(flags.filter));
      const names = NetworksDeleted ?? [];
      if (names.length > 0) context.stdout.write(`Deleted Networks:\n${names.join('\n')}\n`);
    },
  );
}

function joining(group: Command, context: Context): void {
  const connect = group
    .command('connect')
    .description('put a container on a network')
    .argument('<network>')
    .argument('<container>')
    .option('--ip <address>', 'IPv4 address')
    .option('--ip6 <address>', 'IPv6 address')
    .option('--gw-priority <n>', 'the highest has the default route');
  many(connect, '--alias <name>', 'another name on this network');
  many(connect, '--link <container[:alias]>', 'call another container so');
  many(connect, '--driver-opt <key=value>', 'option of the driver');
  connect.action(async (name: string, container: string, flags: ConnectFlags) => {
    const client = await context.engine();
    await client.networks.connect(name, container, endpoint(flags));
  });
  group
    .command('disconnect')
    .description('take a container from a network')
    .argument('<network>')
    .argument('<container>')
    .option('-f, --force', 'also when it is not on it')
    .action(async (name: string, container: string, flags: { force?: boolean }) => {
      const client = await context.engine();
      await client.networks.disconnect(name, container, { force: flags.force === true });
    });
}

/** Ranges, gateways and other addresses belong to the subnet that holds them, in docker by arithmetic, here by order; one subnet a family. */
function createRequest(name: string, flags: CreateFlags): NetworkCreateRequest {
  const isSix = (text: string): boolean => text.includes(':');
  const config = flags.subnet.map((Subnet): IpamConfig => {
    const like = (text: string): boolean => isSix(text) === isSix(Subnet);
    const IPRange = flags.ipRange.find(like);
    const Gateway = flags.gateway.find(like);
    const auxiliary = Object.entries(pairs(flags.auxAddress)).filter(([, one]) => like(one));
    return {
      Subnet,
      ...(IPRange === undefined ? {} : { IPRange }),
      ...(Gateway === undefined ? {} : { Gateway }),
      ...(auxiliary.length === 0 ? {} : { AuxiliaryAddresses: Object.fromEntries(auxiliary) }),
    };
  });
  if (config.length === 0 && [...flags.ipRange, ...flags.gateway].length > 0)
    throw new EngineError('invalid', 'every ip-range or gateway must have a corresponding subnet');
  return {
    Name: name,
    Driver: flags.driver,
    Options: pairs(flags.opt),
    Labels: pairs(flags.label),
    Internal: flags.internal === true,
    Attachable: flags.attachable === true,
    EnableIPv6: flags.ipv6 === true,
    ...(flags.ipv4 ? {} : { EnableIPv4: false }),
    IPAM: { Driver: 'default', Config: config },
  };
}

function endpoint(flags: ConnectFlags): EndpointSettings {
  const { ip, ip6, gwPriority } = flags;
  if (gwPriority !== undefined && !/^-?\d+$/.test(gwPriority))
    throw new EngineError('invalid', `--gw-priority: '${gwPriority}' is no whole number`);
  return {
    IPAMConfig: {
      ...(ip === undefined ? {} : { IPv4Address: ip }),
      ...(ip6 === undefined ? {} : { IPv6Address: ip6 }),
    },
    Aliases: flags.alias,
    Links: flags.link,
    DriverOpts: pairs(flags.driverOpt),
    ...(gwPriority === undefined ? {} : { GwPriority: Number(gwPriority) }),
  };
}

/** As docker prints them; with a port only its own. Throws not-found. */
function portLines(ports: PortMap, wanted: string | undefined, name: string): string {
  const shown = (address: string): string => (address.includes(':') ? `[${address}]` : address);
  const key = wanted === undefined || wanted.includes('/') ? wanted : `${wanted}/tcp`;
  const lines = Object.entries(ports)
    .filter(([port]) => key === undefined || port === key)
    .flatMap(([port, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => {
        const place = `${shown(HostIp ?? '')}:${HostPort ?? ''}`;
        return key === undefined ? `${port} -> ${place}\n` : `${place}\n`;
      }),
    );
  if (key !== undefined && lines.length === 0)
    throw new EngineError('not-found', `no public port '${key}' published for ${name}`);
  return lines.join('');
}
