/** `pinnace.image.pull` and `pinnace.image.push`: images from and to registries, with the progress of all layers as one. */
import { EngineError, kindOf, messageOf } from '../../../lib/errors.ts';
import { parseReference } from '../../../lib/image/reference.ts';
import type { Node } from '../../views/nodes.ts';
import type { Command, Desk, Step } from '../desk.ts';
import { forEach } from '../each.ts';
import { chooseMany, imageName, IMAGES } from '../targets.ts';
import { follow } from './transfer.ts';

/** Why a text names nothing that can be pulled, or undefined. */
function pullProblem(text: string): string | undefined {
  try {
    parseReference(text.trim());
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

export const pull: Command = {
  id: 'pinnace.image.pull',
  title: 'Pull…',
  category: 'Pinnace Images',
  icon: '$(cloud-download)',
  run: async (desk, targets, argument) => {
    const references = await referencesOf(desk, targets, argument);
    if (references.length === 0) return;
    const { client } = await desk.engines.ready();
    let status = '';
    await forEach(desk, {
      doing: 'Pulling',
      verb: 'pull',
      one: 'image',
      items: references,
      name: (reference) => reference,
      run: async (reference, signal, report: (step: Step) => void) => {
        const auth = await desk.credentials.authFor(reference);
        const options = auth === undefined ? { signal } : { signal, auth };
        const pulled = await follow(client.images.pull(reference, options), report);
        status = pulled.status;
      },
    });
    await desk.inform(
      references.length > 1
        ? `Pulled ${String(references.length)} images.`
        : status.replace(/^Status: /, '') || `Pulled ${references.join('')}.`,
    );
  },
};

/** Tags of a registry and images of the tree as they are (a pull brings them up to date); else what the user types. */
async function referencesOf(
  desk: Desk,
  targets: readonly Node[],
  argument: unknown,
): Promise<readonly string[]> {
  if (typeof argument === 'string') return [argument];
  const selected = targets.flatMap((node) => {
    if (node.kind === 'tag') return [`${node.host}/${node.repository}:${node.tag}`];
    return IMAGES.from(node)
      .filter(({ reference }) => !reference.startsWith('sha256:'))
      .map(({ reference }) => reference);
  });
  if (selected.length > 0) return [...new Set(selected)];
  if (targets.length > 0)
    throw new EngineError(
      'invalid',
      'An image without a tag cannot be pulled: nothing says from where.',
    );
  const name = await desk.ask({
    title: 'Pull Image',
    prompt: 'Name of the image',
    placeholder: 'alpine:3.22, ghcr.io/owner/app, localhost:5000/app@sha256:…',
    check: pullProblem,
  });
  return name === undefined ? [] : [name.trim()];
}

const SIGN_IN = 'Sign In';
const TAG = 'Tag…';

export const push: Command = {
  id: 'pinnace.image.push',
  title: 'Push',
  category: 'Pinnace Images',
  icon: '$(cloud-upload)',
  run: async (desk, targets) => {
    const engine = await desk.engines.ready();
    if (!engine.has('push')) throw new EngineError('not-implemented', engine.lacks('push'));
    const nodes = await chooseMany(desk, IMAGES, targets, {
      title: 'Push which images?',
      accept: ({ reference }) => !reference.startsWith('sha256:'),
      none: 'An image needs a name to be pushed: tag it first.',
    });
    if (nodes === undefined) return;
    try {
      await forEach(desk, {
        doing: 'Pushing',
        verb: 'push',
        one: 'image',
        items: nodes,
        name: imageName,
        run: async ({ reference }, signal, report: (step: Step) => void) => {
          const auth = await desk.credentials.authFor(reference);
          const options = auth === undefined ? { signal } : { signal, auth };
          await follow(engine.client.images.push(reference, options), report);
        },
      });
    } catch (error) {
      await offerWayOut(desk, nodes, error);
      return;
    }
    const [first] = nodes;
    await desk.inform(
      nodes.length === 1 && first !== undefined
        ? `Pushed ${first.reference}.`
        : `Pushed ${String(nodes.length)} images.`,
    );
  },
};

/** A registry that wants to know who pushes: sign in, or a name of another registry. */
async function offerWayOut(desk: Desk, nodes: readonly Node[], error: unknown): Promise<void> {
  const message = messageOf(error);
  const refused =
    kindOf(error) === 'unauthorized' ||
    kindOf(error) === 'forbidden' ||
    /denied|unauthorized|authentication required|no basic auth/i.test(message);
  if (!refused) throw error;
  const chosen = await desk.complain(message, SIGN_IN, TAG);
  if (chosen === SIGN_IN) await desk.execute('pinnace.registry.signIn');
  if (chosen === TAG) await desk.execute('pinnace.image.tag', nodes[0]);
}
