/** `version`, `info` and `events`. */

import type { EventMessage } from '../../lib/api/system.ts';
import { VERSION } from '../../lib/version.ts';
import type { Register } from '../context.ts';
import { size } from '../output/human.ts';
import { filters } from '../output/list.ts';
import { instant } from '../output/instant.ts';
import { compile, type Value } from '../output/template.ts';

interface EventFlags {
  since?: string;
  until?: string;
  filter: string[];
  format?: string;
}

export const system: Register = (program, context) => {
  program
    .command('version')
    .description('show the versions of the command and the engine')
    .option('-f, --format <template>', 'a Go template or json')
    .action(async (flags: { format?: string }) => {
      const client = await context.engine();
      const server = await client.system.version();
      const all = {
        Client: { Version: VERSION, ApiVersion: client.transport.version },
        Server: server,
      };
      context.stdout.write(formatted(all, flags.format) ?? versionText(all));
    });
  program
    .command('info')
    .description('show what the engine is and has')
    .option('-f, --format <template>', 'a Go template or json')
    .action(async (flags: { format?: string }) => {
      const info = await (await context.engine()).system.info();
      const lines = [
        ['Server Version', info.ServerVersion],
        [
          'Containers',
          `${info.Containers} (${info.ContainersRunning} running, ${info.ContainersPaused} paused, ${info.ContainersStopped} stopped)`,
        ],
        ['Images', String(info.Images)],
        ['Storage Driver', info.Driver],
        ['Cgroup', `${info.CgroupDriver}, version ${info.CgroupVersion}`],
        ['Security Options', info.SecurityOptions.join(' ')],
        ['Kernel Version', info.KernelVersion],
        ['Operating System', info.OperatingSystem],
        ['Architecture', info.Architecture],
        ['CPUs', String(info.NCPU)],
        ['Total Memory', size(info.MemTotal)],
        ['Root Dir', info.DockerRootDir],
        ...info.Warnings.map((warning) => ['WARNING', warning]),
      ];
      context.stdout.write(
        formatted(info, flags.format) ??
          lines.map(([name, value]) => `${name ?? ''}: ${value ?? ''}\n`).join(''),
      );
    });
  program
    .command('events')
    .description('show what happens in the engine, as it happens')
    .option('--since <time>', 'RFC 3339, seconds, or a duration such as 10m')
    .option('--until <time>', 'likewise')
    .option(
      '-f, --filter <name=value>',
      'filter',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option('--format <template>', 'a Go template or json')
    .action(async (flags: EventFlags) => {
      const client = await context.engine();
      const events = client.system.events({
        ...(flags.since === undefined ? {} : { since: instant(flags.since) }),
        ...(flags.until === undefined ? {} : { until: instant(flags.until) }),
        filters: filters(flags.filter),
        signal: context.signal,
      });
      for await (const event of events)
        context.stdout.write(formatted(event, flags.format) ?? eventText(event));
    });
};

function formatted(value: unknown, format: string | undefined): string | undefined {
  if (format === undefined) return undefined;
  return format === 'json' ? `${JSON.stringify(value)}\n` : `${compile(format)(value as Value)}\n`;
}

function versionText(all: {
  Client: { Version: string; ApiVersion: string };
  Server: { Version: string; ApiVersion: string; MinAPIVersion: string; Os: string; Arch: string };
}): string {
  const { Client, Server } = all;
  return [
    `Client: pinnace`,
    ` Version:           ${Client.Version}`,
    ` API version:       ${Client.ApiVersion}`,
    '',
    `Server: Pinnace`,
    ` Version:           ${Server.Version}`,
    ` API version:       ${Server.ApiVersion} (minimum version ${Server.MinAPIVersion})`,
    ` OS/Arch:           ${Server.Os}/${Server.Arch}`,
    '',
  ].join('\n');
}

function eventText(event: EventMessage): string {
  const attributes = Object.entries(event.Actor.Attributes)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(', ');
  const time = new Date(event.timeNano / 1e6).toISOString();
  return `${time} ${event.Type} ${event.Action} ${event.Actor.ID}${attributes === '' ? '' : ` (${attributes})`}\n`;
}
