/** `images`, `rmi`, `pull`, `load`, `save` and `tag`. */

import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ImageSummary } from '../../lib/api/images.ts';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { Context, Register } from '../context.ts';
import { filters, writeList, type ListFlags } from '../output/list.ts';
import { ago, shortId, size } from '../output/human.ts';
import { show } from '../output/progress.ts';
import type { Value } from '../output/template.ts';

interface ImagesFlags extends ListFlags {
  all?: boolean;
  digests?: boolean;
}

export const images: Register = (program, context) => {
  program
    .command('images')
    .description('list images')
    .argument('[repository[:tag]]')
    .option('-a, --all', 'also intermediate ones')
    .option('--digests', 'show digests')
    .option('-q, --quiet', 'ids only')
    .option('--no-trunc', 'whole ids')
    .option(
      '-f, --filter <name=value>',
      'filter',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option('--format <template>', 'a Go template, json or table')
    .option('--json', 'one JSON object a line')
    .action(async (reference: string | undefined, flags: ImagesFlags) => {
      const client = await context.engine();
      const wanted =
        reference === undefined ? flags.filter : [...flags.filter, `reference=${reference}`];
      const list = await client.images.list({ all: flags.all === true, filters: filters(wanted) });
      const columns = [
        'Repository',
        'Tag',
        ...(flags.digests === true ? ['Digest'] : []),
        'ID',
        'CreatedSince',
        'Size',
      ];
      const form = { columns, heads: { ID: 'IMAGE ID', CreatedSince: 'CREATED' }, quiet: 'ID' };
      writeList(
        list.flatMap((image) => rows(image, flags)),
        form,
        flags,
        context.stdout,
      );
    });
  program
    .command('rmi')
    .description('remove images')
    .argument('<images...>')
    .option('-f, --force', 'also when a stopped container uses it')
    .option('--no-prune', 'keep untagged parents')
    .action(async (names: string[], flags: { force?: boolean; prune: boolean }) => {
      await remove(names, flags, context);
    });
  transfers(program, context);
  archives(program, context);
};

const transfers: Register = (program, context) => {
  program
    .command('pull')
    .description('download an image from a registry')
    .argument('<image>')
    .option('-q, --quiet', 'only the name')
    .option('--platform <platform>', 'os/arch[/variant]')
    .action(async (name: string, flags: { quiet?: boolean; platform?: string }) => {
      const client = await context.engine();
      const platform = flags.platform === undefined ? {} : { platform: flags.platform };
      if (!/[@:][^/]*$/.test(name) && flags.quiet !== true)
        context.stdout.write('Using default tag: latest\n');
      await show(
        client.images.pull(name, { signal: context.signal, ...platform }),
        context.stdout,
        { quiet: flags.quiet === true },
      );
      context.stdout.write(`${name}\n`);
    });
  program
    .command('tag')
    .description('give an image another name')
    .argument('<image>')
    .argument('<name>')
    .action(async (image: string, name: string) => {
      const client = await context.engine();
      const colon = name.lastIndexOf(':');
      const tagged = colon > name.lastIndexOf('/');
      await client.images.tag(
        image,
        tagged ? name.slice(0, colon) : name,
        tagged ? name.slice(colon + 1) : 'latest',
      );
    });
};

const archives: Register = (program, context) => {
  program
    .command('load')
    .description('load images from an archive')
    .option('-i, --input <file>', 'the archive instead of standard input')
    .option('-q, --quiet', 'no progress')
    .action(async (flags: { input?: string; quiet?: boolean }) => {
      if (flags.input === undefined && context.stdin.isTTY)
        throw new EngineError(
          'invalid',
          'load: an archive is needed: --input FILE, or on standard input',
        );
      const client = await context.engine();
      const archive = flags.input === undefined ? context.stdin : createReadStream(flags.input);
      await show(
        client.images.load(archive, { quiet: flags.quiet === true, signal: context.signal }),
        context.stdout,
        { quiet: false },
      );
    });
  program
    .command('save')
    .description('save images to an archive')
    .argument('<images...>')
    .option('-o, --output <file>', 'the archive instead of standard output')
    .action(async (names: string[], flags: { output?: string }) => {
      if (flags.output === undefined && context.stdout.isTTY)
        throw new EngineError(
          'invalid',
          'save: refusing to write an archive to a terminal: use --output FILE or redirect',
        );
      const client = await context.engine();
      const archive = await client.images.save(names, { signal: context.signal });
      if (flags.output === undefined) {
        await pipeline(archive, context.stdout, { end: false });
        return;
      }
      await writeWhole(archive, flags.output);
    });
};

/** A file that appears only when it is complete. */
async function writeWhole(archive: NodeJS.ReadableStream, file: string): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  try {
    await pipeline(archive, createWriteStream(partial, { flags: 'wx' }));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function remove(
  names: readonly string[],
  flags: { force?: boolean; prune: boolean },
  context: Context,
): Promise<void> {
  const client = await context.engine();
  for (const name of names) {
    try {
      for (const { Untagged, Deleted } of await client.images.remove(name, {
        force: flags.force === true,
        noPrune: !flags.prune,
      })) {
        context.stdout.write(
          Untagged === undefined ? `Deleted: ${Deleted ?? ''}\n` : `Untagged: ${Untagged}\n`,
        );
      }
    } catch (error) {
      context.stderr.write(`Error response from daemon: ${messageOf(error)}\n`);
      context.exit(1);
    }
  }
}

function rows(image: ImageSummary, flags: ImagesFlags): Record<string, Value>[] {
  const names = image.RepoTags.length > 0 ? image.RepoTags : ['<none>:<none>'];
  return names.map((name) => {
    const colon = name.lastIndexOf(':');
    return {
      ID: flags.trunc ? shortId(image.Id) : image.Id,
      Repository: name.slice(0, colon),
      Tag: name.slice(colon + 1),
      Digest: image.RepoDigests[0]?.split('@')[1] ?? '<none>',
      CreatedSince: ago(image.Created, Date.now() / 1000),
      CreatedAt: new Date(image.Created * 1000).toISOString(),
      Size: size(image.Size),
      Containers: image.Containers,
    };
  });
}
