/** Looking at volumes: what the engine knows, and who uses them. */
import { EngineError } from '../../../lib/errors.ts';
import type { Command } from '../desk.ts';
import { chooseMany, chooseOne, VOLUMES } from '../targets.ts';
import { volumeUsers } from './manage.ts';

export const inspect: Command = {
  id: 'pinnace.volume.inspect',
  title: 'Inspect',
  category: 'Pinnace Volumes',
  icon: '$(info)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, VOLUMES, targets, {
      title: 'Inspect which volumes?',
      none: 'There is no volume.',
    });
    const { client } = await desk.engines.ready();
    for (const { name } of nodes ?? []) {
      const text = `${JSON.stringify(await client.volumes.inspect(name), null, 2)}\n`;
      await desk.show({ name: `${name}.json`, text, language: 'json' });
    }
  },
};

export const users: Command = {
  id: 'pinnace.volume.users',
  title: 'Who Uses It?',
  category: 'Pinnace Volumes',
  icon: '$(references)',
  run: async (desk, targets) => {
    const node = await chooseOne(desk, VOLUMES, targets, {
      title: 'Who uses which volume?',
      none: 'There is no volume.',
    });
    if (node === undefined) return;
    const { client } = await desk.engines.ready();
    const found = (await volumeUsers(client)).filter(({ volume }) => volume === node.name);
    if (found.length === 0) {
      await desk.inform(`No container uses the volume ${node.name}.`);
      return;
    }
    const chosen = await desk.pick(
      `Containers that use ${node.name}`,
      found.map(({ container }) => {
        const mount = container.summary.Mounts.find(({ Name }) => Name === node.name);
        const access = mount?.RW === false ? 'read-only' : 'read and write';
        return {
          label: container.name,
          description: `${mount?.Destination ?? ''} (${access})`,
          detail: container.summary.Status,
          value: container,
        };
      }),
    );
    if (chosen !== undefined) await desk.execute('pinnace.container.inspect', chosen);
  },
};

export const copyName: Command = {
  id: 'pinnace.volume.copyName',
  title: 'Copy Name',
  category: 'Pinnace Volumes',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, VOLUMES, targets, {
      title: 'Copy the names of which volumes?',
      none: 'There is no volume.',
    });
    if (nodes !== undefined) await desk.copy(nodes.map(({ name }) => name).join('\n'));
  },
};

export const copyPath: Command = {
  id: 'pinnace.volume.copyPath',
  title: 'Copy Path',
  category: 'Pinnace Volumes',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, VOLUMES, targets, {
      title: 'Copy the paths of which volumes?',
      none: 'There is no volume.',
    });
    if (nodes === undefined) return;
    const paths = nodes.map(({ info }) => info.Mountpoint).filter((path) => path !== '');
    if (paths.length === 0)
      throw new EngineError('not-found', 'The engine does not say where it keeps this volume.');
    await desk.copy(paths.join('\n'));
  },
};
