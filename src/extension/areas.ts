/** The one table of the areas that the extension is made of, each loaded by itself once the editor has activated us. */
import type { Area } from './parts.ts';

/** Name, for the log of one that fails, and how it is plugged in. The code of an area is imported only here, and late. */
export const AREAS: readonly (readonly [name: string, plug: Area])[] = [
  [
    'logs, stats and ports',
    async (parts) => (await import('./webviews/area.ts')).plugWebviews(parts),
  ],
  ['engines', async (parts) => (await import('./engine/area.ts')).plugEngines(parts)],
  [
    'explorer and files',
    async (parts) => {
      const { plugFiles } = await import('./files/area.ts');
      const { plugExplorer } = await import('./views/explorer.ts');
      plugExplorer(parts, plugFiles(parts));
    },
  ],
  ['builds', async (parts) => (await import('./build/area.ts')).plugBuilds(parts)],
  [
    'dev containers',
    async (parts) => (await import('./devcontainer/plug.ts')).plugDevContainers(parts),
  ],
  ['registries', async (parts) => (await import('./registries/area.ts')).plugRegistries(parts)],
];
