/** The image that a volume's stand-in is made from: a small one that the engine has, or an empty one that is brought and taken away again. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { STAND_IN_LABEL, isStandIn } from './stand-in-mark.ts';

const REFERENCE = 'pinnace.local/files:1';
/** Images that are looked into for one without volumes. */
const LOOKED_AT = 8;

export interface StandInImage {
  readonly reference: string;
  /** It was brought by us, and goes when nothing needs it. */
  readonly brought: boolean;
}

/** An image without volumes of its own: those would be made, and filled, with each stand-in. */
export async function standInImage(client: Client): Promise<StandInImage> {
  const images = await client.images.list();
  const smallest = images.toSorted((a, b) => a.Size - b.Size).slice(0, LOOKED_AT);
  for (const summary of smallest) {
    if (isStandIn(summary)) return { reference: REFERENCE, brought: true };
    const image = await client.images.inspect(summary.Id).catch((error: unknown) => {
      if (kindOf(error) === 'not-found') return undefined;
      throw error;
    });
    const hasVolumes = Object.keys(image?.Config.Volumes ?? {}).length > 0;
    if (image?.Os === 'linux' && !hasVolumes) return { reference: summary.Id, brought: false };
  }
  await Array.fromAsync(client.images.load(await archive(), { quiet: true }));
  return { reference: REFERENCE, brought: true };
}

/** Takes the brought image away; one that is still needed stays. */
export async function dropStandInImage(client: Client): Promise<void> {
  try {
    await client.images.remove(REFERENCE);
  } catch (error) {
    if (error instanceof EngineError && ['not-found', 'conflict'].includes(error.kind)) return;
    throw error;
  }
}

/** As `docker save` writes it: one layer with an empty folder, since Podman takes no image without a layer. */
async function archive(): Promise<Readable> {
  const layer = await tarOf([{ name: 'pinnace/', content: undefined }]);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Labels: { [STAND_IN_LABEL]: 'image' } },
      rootfs: { type: 'layers', diff_ids: [`sha256:${hash(layer)}`] },
      history: [{ created_by: 'an empty folder' }],
    }),
  );
  const names = { config: `${hash(config)}.json`, layer: `${hash(layer)}.tar` };
  const manifest = [{ Config: names.config, RepoTags: [REFERENCE], Layers: [names.layer] }];
  const bytes = await tarOf([
    { name: names.layer, content: layer },
    { name: names.config, content: config },
    { name: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)) },
  ]);
  return Readable.from([bytes], { objectMode: false });
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function tarOf(
  files: readonly { readonly name: string; readonly content: Buffer | undefined }[],
): Promise<Buffer> {
  const tar = pack();
  for (const { name, content } of files) {
    const mtime = new Date(0);
    if (content === undefined) tar.entry({ name, mtime, type: 'directory', mode: 0o755 });
    else tar.entry({ name, mtime, mode: 0o644 }, content);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
