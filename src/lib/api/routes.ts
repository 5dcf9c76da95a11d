/**
 * The one route table of the Engine API (1.51) and Pinnace's own additions. The server's router, the
 * typed client and docs/api-coverage.md all derive from it; a route is written nowhere else.
 */

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** `built`: answered here. `planned` and `absent` (swarm, plugins): answered 501 with a message that names the route. */
export type RouteState = 'built' | 'planned' | 'absent';

type Row = readonly [string, Method, string, string, RouteState, string];

/** Name, method, path template, API version that brought it, state, what it does. */
const ROWS = [
  // Container
  ['container.list', 'GET', '/containers/json', '1.24', 'built', 'List containers'],
  ['container.create', 'POST', '/containers/create', '1.24', 'built', 'Create a container'],
  ['container.inspect', 'GET', '/containers/{id}/json', '1.24', 'built', 'Inspect a container'],
  [
    'container.top',
    'GET',
    '/containers/{id}/top',
    '1.24',
    'built',
    'List processes running inside a container',
  ],
  ['container.logs', 'GET', '/containers/{id}/logs', '1.24', 'built', 'Get container logs'],
  [
    'container.changes',
    'GET',
    '/containers/{id}/changes',
    '1.24',
    'built',
    "Get changes on a container's filesystem",
  ],
  ['container.export', 'GET', '/containers/{id}/export', '1.24', 'built', 'Export a container'],
  [
    'container.stats',
    'GET',
    '/containers/{id}/stats',
    '1.24',
    'built',
    'Get container stats based on resource usage',
  ],
  [
    'container.resize',
    'POST',
    '/containers/{id}/resize',
    '1.24',
    'built',
    'Resize a container TTY',
  ],
  ['container.start', 'POST', '/containers/{id}/start', '1.24', 'built', 'Start a container'],
  ['container.stop', 'POST', '/containers/{id}/stop', '1.24', 'built', 'Stop a container'],
  ['container.restart', 'POST', '/containers/{id}/restart', '1.24', 'built', 'Restart a container'],
  ['container.kill', 'POST', '/containers/{id}/kill', '1.24', 'built', 'Kill a container'],
  ['container.update', 'POST', '/containers/{id}/update', '1.24', 'built', 'Update a container'],
  ['container.rename', 'POST', '/containers/{id}/rename', '1.24', 'built', 'Rename a container'],
  ['container.pause', 'POST', '/containers/{id}/pause', '1.24', 'built', 'Pause a container'],
  ['container.unpause', 'POST', '/containers/{id}/unpause', '1.24', 'built', 'Unpause a container'],
  ['container.attach', 'POST', '/containers/{id}/attach', '1.24', 'built', 'Attach to a container'],
  [
    'container.attach-websocket',
    'GET',
    '/containers/{id}/attach/ws',
    '1.24',
    'planned',
    'Attach to a container via a websocket',
  ],
  ['container.wait', 'POST', '/containers/{id}/wait', '1.24', 'built', 'Wait for a container'],
  ['container.remove', 'DELETE', '/containers/{id}', '1.24', 'built', 'Remove a container'],
  [
    'archive.stat',
    'HEAD',
    '/containers/{id}/archive',
    '1.24',
    'built',
    'Get information about files in a container',
  ],
  [
    'archive.get',
    'GET',
    '/containers/{id}/archive',
    '1.24',
    'built',
    'Get an archive of a filesystem resource in a container',
  ],
  [
    'archive.put',
    'PUT',
    '/containers/{id}/archive',
    '1.24',
    'built',
    'Extract an archive of files or folders to a directory in a container',
  ],
  ['container.prune', 'POST', '/containers/prune', '1.25', 'built', 'Delete stopped containers'],
  // Image
  ['image.list', 'GET', '/images/json', '1.24', 'built', 'List Images'],
  ['build.run', 'POST', '/build', '1.24', 'built', 'Build an image'],
  ['build.prune', 'POST', '/build/prune', '1.31', 'built', 'Delete builder cache'],
  ['image.create', 'POST', '/images/create', '1.24', 'built', 'Create an image'],
  ['image.inspect', 'GET', '/images/{name}/json', '1.24', 'built', 'Inspect an image'],
  [
    'image.attestations',
    'GET',
    '/images/{name}/attestations',
    '1.51',
    'planned',
    'Get attestation statements for an image',
  ],
  [
    'image.history',
    'GET',
    '/images/{name}/history',
    '1.24',
    'built',
    'Get the history of an image',
  ],
  ['image.push', 'POST', '/images/{name}/push', '1.24', 'built', 'Push an image'],
  ['image.tag', 'POST', '/images/{name}/tag', '1.24', 'built', 'Tag an image'],
  ['image.remove', 'DELETE', '/images/{name}', '1.24', 'built', 'Remove an image'],
  ['image.search', 'GET', '/images/search', '1.24', 'built', 'Search images'],
  ['image.prune', 'POST', '/images/prune', '1.25', 'built', 'Delete unused images'],
  // System
  ['system.auth', 'POST', '/auth', '1.24', 'built', 'Check auth configuration'],
  ['system.info', 'GET', '/info', '1.24', 'built', 'Get system information'],
  ['system.version', 'GET', '/version', '1.24', 'built', 'Get version'],
  ['system.ping', 'GET', '/_ping', '1.24', 'built', 'Ping'],
  ['system.ping-head', 'HEAD', '/_ping', '1.40', 'built', 'Ping'],
  // Image
  ['image.commit', 'POST', '/commit', '1.24', 'built', 'Create a new image from a container'],
  // System
  ['system.events', 'GET', '/events', '1.24', 'built', 'Monitor events'],
  ['system.df', 'GET', '/system/df', '1.25', 'built', 'Get data usage information'],
  // Image
  ['image.save', 'GET', '/images/{name}/get', '1.24', 'built', 'Export an image'],
  ['image.save-many', 'GET', '/images/get', '1.24', 'built', 'Export several images'],
  ['image.load', 'POST', '/images/load', '1.24', 'built', 'Import images'],
  // Exec
  ['exec.create', 'POST', '/containers/{id}/exec', '1.24', 'built', 'Create an exec instance'],
  ['exec.start', 'POST', '/exec/{id}/start', '1.24', 'built', 'Start an exec instance'],
  ['exec.resize', 'POST', '/exec/{id}/resize', '1.24', 'built', 'Resize an exec instance'],
  ['exec.inspect', 'GET', '/exec/{id}/json', '1.24', 'built', 'Inspect an exec instance'],
  // Volume
  ['volume.list', 'GET', '/volumes', '1.24', 'built', 'List volumes'],
  ['volume.create', 'POST', '/volumes/create', '1.24', 'built', 'Create a volume'],
  ['volume.inspect', 'GET', '/volumes/{name}', '1.24', 'built', 'Inspect a volume'],
  [
    'volume.update',
    'PUT',
    '/volumes/{name}',
    '1.24',
    'planned',
    'Update a volume. Valid only for Swarm cluster volumes',
  ],
  ['volume.remove', 'DELETE', '/volumes/{name}', '1.24', 'built', 'Remove a volume'],
  ['volume.prune', 'POST', '/volumes/prune', '1.25', 'built', 'Delete unused volumes'],
  // Network
  ['network.list', 'GET', '/networks', '1.24', 'built', 'List networks'],
  ['network.inspect', 'GET', '/networks/{id}', '1.24', 'built', 'Inspect a network'],
  ['network.remove', 'DELETE', '/networks/{id}', '1.24', 'built', 'Remove a network'],
  ['network.create', 'POST', '/networks/create', '1.24', 'built', 'Create a network'],
  [
    'network.connect',
    'POST',
    '/networks/{id}/connect',
    '1.24',
    'built',
    'Connect a container to a network',
  ],
  [
    'network.disconnect',
    'POST',
    '/networks/{id}/disconnect',
    '1.24',
    'built',
    'Disconnect a container from a network',
  ],
  ['network.prune', 'POST', '/networks/prune', '1.25', 'built', 'Delete unused networks'],
  // Plugin
  ['plugin.list', 'GET', '/plugins', '1.25', 'built', 'List plugins'],
  ['plugin.privileges', 'GET', '/plugins/privileges', '1.25', 'absent', 'Get plugin privileges'],
  ['plugin.pull', 'POST', '/plugins/pull', '1.25', 'absent', 'Install a plugin'],
  ['plugin.inspect', 'GET', '/plugins/{name}/json', '1.25', 'built', 'Inspect a plugin'],
  ['plugin.remove', 'DELETE', '/plugins/{name}', '1.25', 'absent', 'Remove a plugin'],
  ['plugin.enable', 'POST', '/plugins/{name}/enable', '1.25', 'absent', 'Enable a plugin'],
  ['plugin.disable', 'POST', '/plugins/{name}/disable', '1.25', 'absent', 'Disable a plugin'],
  ['plugin.upgrade', 'POST', '/plugins/{name}/upgrade', '1.25', 'absent', 'Upgrade a plugin'],
  ['plugin.create', 'POST', '/plugins/create', '1.25', 'absent', 'Create a plugin'],
  ['plugin.push', 'POST', '/plugins/{name}/push', '1.25', 'absent', 'Push a plugin'],
  ['plugin.set', 'POST', '/plugins/{name}/set', '1.25', 'absent', 'Configure a plugin'],
  // Node
  ['node.list', 'GET', '/nodes', '1.24', 'absent', 'List nodes'],
  ['node.inspect', 'GET', '/nodes/{id}', '1.24', 'absent', 'Inspect a node'],
  ['node.remove', 'DELETE', '/nodes/{id}', '1.24', 'absent', 'Delete a node'],
  ['node.update', 'POST', '/nodes/{id}/update', '1.24', 'absent', 'Update a node'],
  // Swarm
  ['swarm.inspect', 'GET', '/swarm', '1.24', 'absent', 'Inspect swarm'],
  ['swarm.init', 'POST', '/swarm/init', '1.24', 'absent', 'Initialize a new swarm'],
  ['swarm.join', 'POST', '/swarm/join', '1.24', 'absent', 'Join an existing swarm'],
  ['swarm.leave', 'POST', '/swarm/leave', '1.24', 'absent', 'Leave a swarm'],
  ['swarm.update', 'POST', '/swarm/update', '1.24', 'absent', 'Update a swarm'],
  ['swarm.unlockkey', 'GET', '/swarm/unlockkey', '1.24', 'absent', 'Get the unlock key'],
  ['swarm.unlock', 'POST', '/swarm/unlock', '1.24', 'absent', 'Unlock a locked manager'],
  // Service
  ['service.list', 'GET', '/services', '1.24', 'absent', 'List services'],
  ['service.create', 'POST', '/services/create', '1.24', 'absent', 'Create a service'],
  ['service.inspect', 'GET', '/services/{id}', '1.24', 'absent', 'Inspect a service'],
  ['service.remove', 'DELETE', '/services/{id}', '1.24', 'absent', 'Delete a service'],
  ['service.update', 'POST', '/services/{id}/update', '1.24', 'absent', 'Update a service'],
  ['service.logs', 'GET', '/services/{id}/logs', '1.29', 'absent', 'Get service logs'],
  // Task
  ['task.list', 'GET', '/tasks', '1.24', 'absent', 'List tasks'],
  ['task.inspect', 'GET', '/tasks/{id}', '1.24', 'absent', 'Inspect a task'],
  ['task.logs', 'GET', '/tasks/{id}/logs', '1.29', 'absent', 'Get task logs'],
  // Secret
  ['secret.list', 'GET', '/secrets', '1.25', 'absent', 'List secrets'],
  ['secret.create', 'POST', '/secrets/create', '1.25', 'absent', 'Create a secret'],
  ['secret.inspect', 'GET', '/secrets/{id}', '1.25', 'absent', 'Inspect a secret'],
  ['secret.remove', 'DELETE', '/secrets/{id}', '1.25', 'absent', 'Delete a secret'],
  ['secret.update', 'POST', '/secrets/{id}/update', '1.25', 'absent', 'Update a Secret'],
  // Config
  ['config.list', 'GET', '/configs', '1.30', 'absent', 'List configs'],
  ['config.create', 'POST', '/configs/create', '1.30', 'absent', 'Create a config'],
  ['config.inspect', 'GET', '/configs/{id}', '1.30', 'absent', 'Inspect a config'],
  ['config.remove', 'DELETE', '/configs/{id}', '1.30', 'absent', 'Delete a config'],
  ['config.update', 'POST', '/configs/{id}/update', '1.30', 'absent', 'Update a Config'],
  // Distribution
  [
    'distribution.inspect',
    'GET',
    '/distribution/{name}/json',
    '1.30',
    'built',
    'Get image information from the registry',
  ],
  // Session
  ['session.start', 'POST', '/session', '1.31', 'planned', 'Initialize interactive session'],
  // Pinnace's own
  [
    'pinnace.info',
    'GET',
    '/pinnace/info',
    '1.24',
    'built',
    'Mode, roots, pid and what the machine allows',
  ],
  [
    'pinnace.shutdown',
    'POST',
    '/pinnace/shutdown',
    '1.24',
    'built',
    'End the engine; containers go on',
  ],
  [
    'pinnace.ports',
    'GET',
    '/pinnace/containers/{id}/ports',
    '1.24',
    'built',
    'TCP ports that something in a container listens on',
  ],
  [
    'pinnace.dial',
    'POST',
    '/pinnace/containers/{id}/dial',
    '1.24',
    'built',
    'Connect to a port inside a container; the connection becomes the stream',
  ],
  [
    'pinnace.builds',
    'GET',
    '/pinnace/builds',
    '1.24',
    'built',
    'List the builds that are remembered',
  ],
  [
    'pinnace.build',
    'GET',
    '/pinnace/builds/{id}',
    '1.24',
    'built',
    'One build: each step, cached or why it ran, time, size, end of its log',
  ],
  [
    'pinnace.build-log',
    'GET',
    '/pinnace/builds/{id}/log',
    '1.24',
    'built',
    'What a step of a build printed',
  ],
  ['pinnace.build-forget', 'DELETE', '/pinnace/builds/{id}', '1.24', 'built', 'Forget a build'],
  [
    'pinnace.build-plan',
    'POST',
    '/pinnace/builds/plan',
    '1.24',
    'built',
    'What a build of a Dockerfile would take from the cache',
  ],
  [
    'pinnace.files-list',
    'GET',
    '/pinnace/files/list',
    '1.24',
    'built',
    'List a folder of a container, image or volume',
  ],
  ['pinnace.file-stat', 'HEAD', '/pinnace/files', '1.24', 'built', 'Facts of a file, in a header'],
  ['pinnace.file-read', 'GET', '/pinnace/files', '1.24', 'built', 'Read a file, or a range of it'],
  ['pinnace.file-write', 'PUT', '/pinnace/files', '1.24', 'built', 'Write a file whole'],
  ['pinnace.file-mkdir', 'POST', '/pinnace/files/folder', '1.24', 'built', 'Make a folder'],
  [
    'pinnace.file-rename',
    'POST',
    '/pinnace/files/rename',
    '1.24',
    'built',
    'Rename or move a file or folder',
  ],
  ['pinnace.file-delete', 'DELETE', '/pinnace/files', '1.24', 'built', 'Delete a file or folder'],
] as const satisfies readonly Row[];

export type RouteName = (typeof ROWS)[number][0];

/** The routes that the server must have a handler for. */
export type BuiltRouteName = Extract<
  (typeof ROWS)[number],
  readonly [string, Method, string, string, 'built', string]
>[0];

export interface Route {
  readonly name: RouteName;
  readonly method: Method;
  /** `{id}` and `{name}` stand for one segment; under /images, /distribution and /plugins `{name}` may hold slashes, and so may what `rm --link` names. */
  readonly path: string;
  /** The API version that brought it, e.g. `1.24`. */
  readonly since: string;
  readonly state: RouteState;
  readonly summary: string;
}

export const ROUTES: readonly Route[] = ROWS.map(([name, method, path, since, state, summary]) => ({
  name,
  method,
  path,
  since,
  state,
  summary,
}));

const BY_NAME: ReadonlyMap<RouteName, Route> = new Map(ROUTES.map((route) => [route.name, route]));

/** The route of a name. */
export function routeOf(name: RouteName): Route {
  const route = BY_NAME.get(name);
  if (route === undefined) throw new Error(`no route is named ${name}`);
  return route;
}

/** Whether a template's parameter takes slashes too (image references and links have them). */
export function takesSlashes(path: string): boolean {
  return /^\/(?:images|distribution|plugins)\/|^\/containers\/\{id\}$/.test(path);
}

/**
 * The path of a route with its parameters filled in and percent-encoded; slashes and colons of an
 * image reference stay as they are.
 */
export function pathOf(name: RouteName, params: Readonly<Record<string, string>> = {}): string {
  const { path } = routeOf(name);
  return path.replace(/\{(\w+)\}/g, (_whole, key: string) => {
    const value = params[key];
    if (value === undefined || value === '')
      throw new Error(`${name}: the parameter ${key} is empty`);
    const encoded = encodeURIComponent(value);
    return takesSlashes(path) ? encoded.replaceAll('%2F', '/').replaceAll('%3A', ':') : encoded;
  });
}
