/** `build`: sends a folder as the build context and shows the build. */

import { writeFileSync } from 'node:fs';
import { buildContext } from '../../client/build/context.ts';
import { split } from '../pairs.ts';
import type { Context, Register } from '../context.ts';
import { show } from '../output/progress.ts';

interface BuildFlags {
  file?: string;
  tag: string[];
  buildArg: string[];
  label: string[];
  addHost: string[];
  cacheFrom: string[];
  target?: string;
  platform?: string;
  network?: string;
  iidfile?: string;
  cache: boolean;
  pull?: boolean;
  quiet?: boolean;
}

const collect = (value: string, all: string[]): string[] => [...all, value];

export const build: Register = (program, context) => {
  program
    .command('build')
    .description('build an image from a Dockerfile')
    .argument('<folder>', 'the build context; - reads its tar from standard input')
    .option('-f, --file <file>', 'the Dockerfile (default: FOLDER/Dockerfile)')
    .option('-t, --tag <name>', 'name and tag', collect, [] as string[])
    .option('--build-arg <name=value>', 'build argument', collect, [] as string[])
    .option('--label <key=value>', 'label', collect, [] as string[])
    .option('--add-host <name:address>', 'line of /etc/hosts', collect, [] as string[])
    .option('--cache-from <image>', 'image to take as cache', collect, [] as string[])
    .option('--target <stage>', 'stage to build')
    .option('--platform <platform>', 'os/arch[/variant]')
    .option('--network <mode>', 'network of RUN: default, none, host')
    .option('--iidfile <file>', 'write the image id to a file')
    .option('--no-cache', 'build every step anew')
    .option('--pull', 'pull newer base images')
    .option('-q, --quiet', 'print the image id only')
    .action(async (folder: string, flags: BuildFlags) => {
      await runBuild(folder, flags, context);
    });
};

async function runBuild(folder: string, flags: BuildFlags, context: Context): Promise<void> {
  const client = await context.engine();
  const { tar, dockerfile } =
    folder === '-'
      ? { tar: context.stdin, dockerfile: flags.file ?? 'Dockerfile' }
      : buildContext(folder, flags.file);
  const messages = client.images.build(
    tar,
    {
      dockerfile,
      tags: flags.tag,
      buildArgs: Object.fromEntries(flags.buildArg.map((entry) => argument(entry, context.env))),
      labels: Object.fromEntries(flags.label.map((entry) => split(entry, '='))),
      extraHosts: flags.addHost,
      noCache: !flags.cache,
      ...(flags.cacheFrom.length === 0 ? {} : { cacheFrom: flags.cacheFrom }),
      ...(flags.target === undefined ? {} : { target: flags.target }),
      ...(flags.platform === undefined ? {} : { platform: flags.platform }),
      ...(flags.network === undefined ? {} : { networkMode: flags.network }),
      ...(flags.pull === true ? { pull: true } : {}),
      ...(flags.quiet === true ? { quiet: true } : {}),
    },
    { signal: context.signal },
  );
  const aux = await show(messages, context.stdout, { quiet: false });
  const id = typeof aux['ID'] === 'string' ? aux['ID'] : '';
  if (flags.iidfile !== undefined) writeFileSync(flags.iidfile, id);
}

/** `NAME` alone takes the value of the environment. */
function argument(entry: string, env: NodeJS.ProcessEnv): [string, string | null] {
  return entry.includes('=') ? split(entry, '=') : [entry, env[entry] ?? null];
}
