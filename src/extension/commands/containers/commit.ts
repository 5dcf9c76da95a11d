/** `pinnace.container.commit`: makes an image of what a container has become. */
import { EngineError, messageOf } from '../../../lib/errors.ts';
import { parseReference, withDefaultTag, familiarReference } from '../../../lib/image/reference.ts';
import type { Command } from '../desk.ts';
import { chooseOne, CONTAINERS } from '../targets.ts';

/** Why a text names no image, or undefined. */
export function referenceProblem(text: string): string | undefined {
  try {
    return parseReference(text.trim()).digest === undefined
      ? undefined
      : 'A name with a tag, without a digest';
  } catch (error) {
    return messageOf(error);
  }
}

export const commit: Command = {
  id: 'pinnace.container.commit',
  title: 'Commit to Image…',
  category: 'Pinnace Containers',
  icon: '$(git-commit)',
  run: async (desk, targets) => {
    const engine = await desk.engines.ready();
    if (!engine.has('commit')) throw new EngineError('not-implemented', engine.lacks('commit'));
    const node = await chooseOne(desk, CONTAINERS, targets, {
      title: 'Make an image of which container?',
      none: 'There is no container.',
    });
    if (node === undefined) return;
    const title = `Commit ${node.name}`;
    const name = await desk.ask({
      title,
      prompt: 'Name of the image',
      placeholder: 'my-image:latest',
      check: referenceProblem,
    });
    if (name === undefined) return;
    const comment = await desk.ask({ title, prompt: 'Message (may be empty)' });
    if (comment === undefined) return;
    const author = await desk.ask({
      title,
      prompt: 'Author (may be empty)',
      value: lastAuthor(desk.userMemory.get(AUTHOR)),
    });
    if (author === undefined) return;
    const pause = await pauseToo(desk, node.summary.State);
    if (pause === undefined) return;
    await desk.userMemory.set(AUTHOR, author);
    const reference = withDefaultTag(parseReference(name.trim()));
    const tag = reference.tag ?? 'latest';
    const repo = familiarReference({ ...reference, tag: undefined });
    await desk.progress(`Committing ${node.name}`, (signal) =>
      engine.client.containers.commit(node.id, {
        repo,
        tag,
        comment,
        author,
        pause: pause === 'pause',
        signal,
      }),
    );
    await desk.live.refresh('image');
    await desk.inform(`Made ${repo}:${tag} of ${node.name}.`);
  },
};

const AUTHOR = 'commit.author';

function lastAuthor(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function pauseToo(
  desk: Parameters<Command['run']>[0],
  state: string,
): Promise<'pause' | 'go on' | undefined> {
  if (state !== 'running' || !desk.engines.active.has('pause')) return 'go on';
  return desk.pick<'pause' | 'go on'>('Pause the container while its files are read?', [
    { label: 'Pause', description: 'no file changes half-way', value: 'pause' },
    { label: 'Keep Running', description: 'files being written may be torn', value: 'go on' },
  ]);
}
