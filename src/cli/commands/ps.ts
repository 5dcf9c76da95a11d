/** `ps`: lists containers. */

import type { ContainerSummary, PortSummary } from '../../lib/api/containers.ts';
import type { Register } from '../context.ts';
import { filters, writeList, type ListFlags } from '../output/list.ts';
import { ago, ellipsis, shortId, size } from '../output/human.ts';
import type { Value } from '../output/template.ts';

interface PsFlags extends ListFlags {
  all?: boolean;
  last: string;
  latest?: boolean;
  size?: boolean;
}

export const ps: Register = (program, context) => {
  program
    .command('ps')
    .description('list containers')
    .option('-a, --all', 'also those that do not run')
    .option('-n, --last <n>', 'the last n, running or not', '-1')
    .option('-l, --latest', 'the last one, running or not')
    .option('-s, --size', 'show sizes')
    .option('-q, --quiet', 'ids only')
    .option('--no-trunc', 'whole ids and commands')
    .option(
      '-f, --filter <name=value>',
      'filter',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option('--format <template>', 'a Go template, json or table')
    .option('--json', 'one JSON object a line')
    .action(async (flags: PsFlags) => {
      const client = await context.engine();
      const last = flags.latest === true ? 1 : Number(flags.last);
      const containers = await client.containers.list({
        all: flags.all === true || last > 0,
        ...(last > 0 ? { limit: last } : {}),
        ...(flags.size === true ? { size: true } : {}),
        filters: filters(flags.filter),
      });
      const columns = [
        'ID',
        'Image',
        'Command',
        'RunningFor',
        'Status',
        'Ports',
        'Names',
        ...(flags.size === true ? ['Size'] : []),
      ];
      writeList(
        containers.map((container) => row(container, flags)),
        { columns, heads: HEADS, quiet: 'ID' },
        flags,
        context.stdout,
      );
    });
};

const HEADS: Record<string, string> = { ID: 'CONTAINER ID', RunningFor: 'CREATED' };

function row(container: ContainerSummary, flags: PsFlags): Record<string, Value> {
  const now = Date.now() / 1000;
  const command = flags.trunc ? ellipsis(container.Command, 20) : container.Command;
  return {
    ID: flags.trunc ? shortId(container.Id) : container.Id,
    Image: container.Image,
    Command: JSON.stringify(command),
    CreatedAt: new Date(container.Created * 1000).toISOString(),
    RunningFor: ago(container.Created, now),
    Status: container.Status,
    State: container.State,
    Ports: container.Ports.map(port).join(', '),
    Names: container.Names.map((name) => name.replace(/^\//, '')).join(','),
    Labels: Object.entries(container.Labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Mounts: container.Mounts.map((mount) => mount.Name ?? mount.Source).join(','),
    Networks: Object.keys(container.NetworkSettings.Networks).join(','),
    Size:
      container.SizeRw === undefined
        ? ''
        : `${size(container.SizeRw)} (virtual ${size(container.SizeRootFs ?? 0)})`,
  };
}

function port({ IP, PublicPort, PrivatePort, Type }: PortSummary): string {
  return PublicPort === undefined
    ? `${PrivatePort}/${Type}`
    : `${IP ?? ''}:${PublicPort}->${PrivatePort}/${Type}`;
}
