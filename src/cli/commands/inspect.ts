/** `inspect`: containers and images (then volumes and networks) as JSON or through a template. */

import type { Client } from '../../client/api/client.ts';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { Register } from '../context.ts';
import { compile, type Value } from '../output/template.ts';

interface InspectFlags {
  format?: string;
  type?: string;
  size?: boolean;
}

type Look = (client: Client, name: string, flags: InspectFlags) => Promise<unknown>;

/** In the order that docker looks. */
const KINDS: Record<string, Look> = {
  container: (client, name, flags) =>
    client.containers.inspect(name, { size: flags.size === true }),
  image: (client, name) => client.images.inspect(name),
  network: (client, name) => client.networks.inspect(name),
  volume: (client, name) => client.volumes.inspect(name),
};

export const inspect: Register = (program, context) => {
  program
    .command('inspect')
    .description('show the details of containers, images, networks and volumes')
    .argument('<names...>')
    .option('-f, --format <template>', 'a Go template or json')
    .option('--type <type>', 'container, image, network or volume')
    .option('-s, --size', 'with the sizes of containers')
    .action(async (names: string[], flags: InspectFlags) => {
      const client = await context.engine();
      const found: unknown[] = [];
      for (const name of names) {
        try {
          found.push(await look(client, name, flags));
        } catch (error) {
          context.stderr.write(`Error: ${messageOf(error)}\n`);
          context.exit(1);
        }
      }
      if (flags.format === undefined || flags.format === 'json') {
        context.stdout.write(`${JSON.stringify(found, null, flags.format === 'json' ? 0 : 4)}\n`);
        return;
      }
      const template = compile(flags.format);
      for (const item of found) context.stdout.write(`${template(item as Value)}\n`);
    });
};

async function look(client: Client, name: string, flags: InspectFlags): Promise<unknown> {
  if (flags.type !== undefined) {
    const only = KINDS[flags.type];
    if (only === undefined)
      throw new EngineError(
        'invalid',
        `"${flags.type}" is not a valid value for --type; there is ${Object.keys(KINDS).join(', ')}`,
      );
    return only(client, name, flags);
  }
  for (const kind of Object.values(KINDS)) {
    try {
      return await kind(client, name, flags);
    } catch (error) {
      if (!(error instanceof EngineError && error.kind === 'not-found')) throw error;
    }
  }
  throw new EngineError('not-found', `No such object: ${name}`);
}
