/** `Build Image…`: from a Dockerfile in the explorer or the editor, from a code lens, or from the palette. */
import { EngineError } from '../../../lib/errors.ts';
import { SERVICE } from '../../build/service.ts';
import type { Command, Desk } from '../desk.ts';
import { type Asked, askBuild, chooseDockerfile } from './ask.ts';

export const buildImage: Command = {
  id: 'pinnace.build.image',
  title: 'Build Image…',
  icon: '$(tools)',
  run: async (desk, _targets, argument) => {
    checkCan(desk);
    const dockerfile = await chooseDockerfile(desk, argument);
    if (dockerfile === undefined) return;
    const target = stageOf(argument);
    const asked: Asked = target === undefined ? { dockerfile } : { dockerfile, target };
    const request = await askBuild(desk, asked);
    if (request !== undefined) await desk.execute(SERVICE.start, request);
  },
};

/** Throws what keeps a build from beginning: an untrusted workspace, an engine without a builder. */
export function checkCan(desk: Desk): void {
  if (!desk.trusted()) {
    throw new EngineError('forbidden', 'Building waits until you trust this workspace.');
  }
  const { active } = desk.engines;
  if (active.state.kind === 'ready' && !active.has('build'))
    throw new EngineError('not-implemented', active.lacks('build'));
}

/** The target of a lens's argument. */
export function stageOf(argument: unknown): string | undefined {
  if (typeof argument !== 'object' || argument === null) return undefined;
  return 'target' in argument && typeof argument.target === 'string' ? argument.target : undefined;
}
