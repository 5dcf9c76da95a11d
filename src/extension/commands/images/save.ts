/** `pinnace.image.save` and `pinnace.image.load`: images to and from archives as `docker save` writes them. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Transform } from 'node:stream';
import { EngineError } from '../../../lib/errors.ts';
import { sizeText } from '../../../lib/text/amounts.ts';
import type { Command } from '../desk.ts';
import { saveStream } from '../save-stream.ts';
import { chooseMany, imageName, IMAGES } from '../targets.ts';

export const save: Command = {
  id: 'pinnace.image.save',
  title: 'Save to File…',
  category: 'Pinnace Images',
  icon: '$(save)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, IMAGES, targets, {
      title: 'Save which images?',
      none: 'There is no image.',
    });
    const [first] = nodes ?? [];
    if (nodes === undefined || first === undefined) return;
    const what = nodes.length === 1 ? imageName(first) : `${String(nodes.length)} images`;
    const path = await desk.chooseTarget({
      title: `Save ${what}`,
      name: nodes.length === 1 ? `${imageName(first).replaceAll(/[/:@]/g, '_')}.tar` : 'images.tar',
    });
    if (path === undefined) return;
    const { client } = await desk.engines.ready();
    const sizes = new Map(nodes.map(({ id, summary }) => [id, summary.Size]));
    await saveStream(desk, {
      title: `Saving ${what}`,
      path,
      total: [...sizes.values()].reduce((sum, size) => sum + size, 0),
      open: (signal) =>
        client.images.save(
          nodes.map(({ reference }) => reference),
          { signal },
        ),
    });
  },
};

export const load: Command = {
  id: 'pinnace.image.load',
  title: 'Load from File…',
  category: 'Pinnace Images',
  icon: '$(folder-opened)',
  run: async (desk, _targets, argument) => {
    const path =
      pathOf(argument) ?? (await desk.chooseFile({ title: 'Load Images', folder: false }));
    if (path === undefined) return;
    const { client } = await desk.engines.ready();
    const { size } = await stat(path);
    const loaded: string[] = [];
    await desk.progress(`Loading ${basename(path)}`, async (signal, report) => {
      const counted = createReadStream(path).pipe(counter(size, report));
      for await (const message of client.images.load(counted, { signal })) {
        const line = /^Loaded image(?: ID)?: (.+)$/m.exec(message.stream ?? '')?.[1];
        if (line !== undefined) loaded.push(line);
      }
    });
    if (loaded.length === 0)
      throw new EngineError('invalid', `${basename(path)} holds no image that the engine knows.`);
    await desk.inform(`Loaded ${loaded.join(', ')}.`);
  },
};

/** A file of the explorer, as its context menu hands it over. */
function pathOf(argument: unknown): string | undefined {
  if (typeof argument !== 'object' || argument === null || !('fsPath' in argument))
    return undefined;
  return typeof argument.fsPath === 'string' ? argument.fsPath : undefined;
}

function counter(
  size: number,
  report: (step: { readonly message?: string; readonly increment?: number }) => void,
): Transform {
  let read = 0;
  let percent = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      read += chunk.length;
      const now = size === 0 ? 0 : Math.floor((read / size) * 100);
      if (now > percent) {
        report({ message: `${sizeText(read)} of ${sizeText(size)}`, increment: now - percent });
        percent = now;
      }
      done(null, chunk);
    },
  });
}
