/** What an engine is and can do, from its own answers. Pure. */
import { ROUTES } from '../../lib/api/routes.ts';
import type { PinnaceInfo, Version } from '../../lib/api/system.ts';
import type { EngineKind, Feature } from './engines.ts';

/** What `/version`, `/pinnace/info` and, of others than Pinnace, `/info` said. */
export interface Facts {
  readonly version: Pick<Version, 'Version'> & Partial<Pick<Version, 'Components' | 'Platform'>>;
  readonly pinnace: PinnaceInfo | undefined;
  readonly info:
    | { readonly CgroupVersion?: string; readonly SecurityOptions?: readonly string[] | null }
    | undefined;
}

export const FEATURES: readonly Feature[] = [
  'pinnace',
  'pause',
  'stats',
  'build',
  'commit',
  'push',
  'search',
];

const NAMES: Readonly<Record<Feature, string>> = {
  pinnace: "Pinnace's own additions",
  pause: 'pausing containers',
  stats: 'statistics of containers',
  build: 'building images',
  commit: 'making images of containers',
  push: 'pushing images',
  search: 'searching images',
};

/** What an engine has not, for people; empty where it has everything. */
export function lackingText(has: (feature: Feature) => boolean): string {
  return FEATURES.filter((feature) => !has(feature))
    .map((feature) => (feature === 'pinnace' ? OWN : NAMES[feature]))
    .join('; ');
}

const OWN = 'reaching ports that are not published; what the next build will do';

/** Podman and Docker say who they are among the components of `/version`. */
export function kindOf(facts: Facts): EngineKind {
  if (facts.pinnace !== undefined) return 'pinnace';
  const names = (facts.version.Components ?? []).map(({ Name }) => Name);
  if (names.some((name) => name.startsWith('Podman'))) return 'podman';
  return names.includes('Engine') ? 'docker' : 'other';
}

export function featuresOf(facts: Facts): ReadonlySet<Feature> {
  const has = new Set<Feature>(FEATURES);
  const without = (...features: Feature[]): void => {
    for (const feature of features) has.delete(feature);
  };
  if (facts.pinnace === undefined) without('pinnace');
  else for (const [feature, route] of ROUTES_OF) if (!isBuilt(route)) without(feature);
  if (!canFreeze(facts)) without('pause');
  // Rootless engines on cgroup v1 govern no cgroups: Docker and Podman answer with an error or with zeros.
  const rootless = facts.info?.SecurityOptions?.some((option) => option.includes('rootless'));
  if (rootless === true && facts.info?.CgroupVersion === '1') without('pause', 'stats');
  return has;
}

/** Pinnace answers these only in newer versions. */
const ROUTES_OF: readonly (readonly [Feature, string])[] = [
  ['commit', 'image.commit'],
  ['push', 'image.push'],
  ['search', 'image.search'],
];

function isBuilt(name: string): boolean {
  return ROUTES.find((route) => route.name === name)?.state === 'built';
}

/** Pausing is the freezer's work: a controller of its own in cgroup v1, part of every cgroup in v2. */
function canFreeze({ pinnace }: Facts): boolean {
  const probe = pinnace?.probe;
  if (typeof probe !== 'object' || probe === null || !('cgroup' in probe)) return true;
  const { cgroup } = probe;
  if (typeof cgroup !== 'object' || cgroup === null) return true;
  const version: unknown = Reflect.get(cgroup, 'version');
  const controllers: unknown = Reflect.get(cgroup, 'controllers');
  return version !== 1 || !Array.isArray(controllers) || controllers.includes('freezer');
}

/** A sentence for people. */
export function lacksText(engine: string, feature: Feature): string {
  if (feature === 'pinnace')
    return `${engine} is not a Pinnace engine, and this needs ${NAMES.pinnace}.`;
  return `${engine} does not support ${NAMES[feature]}.`;
}
