/**
 * A made-up engine with a thousand containers and a thousand images behind the Docker Engine API, on a socket: the one way
 * to have so many in a test. It answers what the explorer asks, tells its changes as events, and runs nothing.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import type { ContainerSummary } from '../../../src/lib/api/containers.ts';
import type { ImageSummary } from '../../../src/lib/api/images.ts';

const MANY = 1000;
const MEMBERS = 10;
const TAGS = 4;

export class Crowd {
  private readonly containers = new Map<string, ContainerSummary>();
  private readonly images = new Map<string, ImageSummary>();
  private readonly watchers = new Set<ServerResponse>();
  private readonly socket: string;
  private readonly server: Server;

  constructor(socket: string) {
    this.socket = socket;
    for (let at = 0; at < MANY; at += 1) {
      const image = imageOf(at);
      this.images.set(image.Id, image);
      const container = containerOf(at, image);
      this.containers.set(container.Id, container);
    }
    this.server = createServer((request, response) => this.answer(request, response));
  }

  async listen(): Promise<void> {
    mkdirSync(dirname(this.socket), { recursive: true });
    await new Promise<void>((resolve) => this.server.listen(this.socket, resolve));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
    rmSync(dirname(this.socket), { recursive: true, force: true });
  }

  /** Another client's rename. */
  rename(at: number, name: string): void {
    const before = this.containers.get(idOf(at));
    if (before === undefined) throw new Error(`there is no container ${at}`);
    this.containers.set(before.Id, { ...before, Names: [`/${name}`] });
    this.tell('container', 'rename', before.Id);
  }

  /** Another client stops a number of containers at once. */
  stop(from: number, to: number): void {
    for (let at = from; at < to; at += 1) {
      const before = this.containers.get(idOf(at));
      if (before === undefined) continue;
      const state = { State: 'exited', Status: 'Exited (0) 1 second ago' } as const;
      this.containers.set(before.Id, { ...before, ...state });
      this.tell('container', 'die', before.Id);
    }
  }

  /** Another client gives an image a further tag: engines have to be asked for all images then. */
  tag(at: number, tag: string): void {
    const before = [...this.images.values()][at];
    if (before === undefined) throw new Error(`there is no image ${at}`);
    this.images.set(before.Id, { ...before, RepoTags: [...before.RepoTags, tag] });
    this.tell('image', 'tag', before.Id);
  }

  private tell(type: string, action: string, id: string): void {
    const time = Math.floor(Date.now() / 1000);
    const actor = { ID: id, Attributes: {} };
    const event = { Type: type, Action: action, Actor: actor, scope: 'local', time, timeNano: 0 };
    for (const watcher of this.watchers) watcher.write(`${JSON.stringify(event)}\n`);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://crowd');
    const path = url.pathname.replace(/^\/v\d+\.\d+/, '');
    response.setHeader('Api-Version', '1.47');
    response.setHeader('Ostype', 'linux');
    if (path === '/events') {
      response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
      this.watchers.add(response);
      response.on('close', () => this.watchers.delete(response));
      return;
    }
    const body = this.bodyOf(path, url);
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body ?? { message: `the crowd knows no ${path}` }));
  }

  private bodyOf(path: string, url: URL): unknown {
    switch (path) {
      case '/_ping':
        return 'OK';
      case '/version':
        return { Version: '27.0.0', ApiVersion: '1.47', MinAPIVersion: '1.24', Os: 'linux' };
      case '/info':
        return { Name: 'crowd', ServerVersion: '27.0.0', OSType: 'linux' };
      case '/containers/json':
        return this.asked(url);
      case '/images/json':
        return [...this.images.values()];
      case '/volumes':
        return { Volumes: [], Warnings: null };
      case '/networks':
        return [];
      default:
        return undefined;
    }
  }

  private asked(url: URL): readonly ContainerSummary[] {
    const filters = JSON.parse(url.searchParams.get('filters') ?? '{}') as { id?: unknown };
    const ids = filters.id;
    if (ids === undefined) return [...this.containers.values()];
    const wanted = Array.isArray(ids) ? (ids as string[]) : Object.keys(ids as object);
    return wanted.flatMap((id) => this.containers.get(id) ?? []);
  }
}

function idOf(at: number): string {
  return `c${at.toString(16).padStart(63, '0')}`;
}

const three = (number: number): string => String(number).padStart(3, '0');

/** Half of them stand in projects of ten, as compose makes them. */
function containerOf(at: number, image: ImageSummary): ContainerSummary {
  const project = `project-${three(Math.floor(at / MEMBERS))}`;
  const grouped = at < MANY / 2;
  const name = grouped ? `${project}-service-${at % MEMBERS}` : `single-${three(at)}`;
  const running = at % 3 !== 0;
  return {
    Id: idOf(at),
    Names: [`/${name}`],
    Image: image.RepoTags[0] ?? '',
    ImageID: image.Id,
    Command: 'node /srv/server.js --port 8080 --verbose',
    Created: 1_700_000_000 + at,
    Ports: [
      { IP: '0.0.0.0', PrivatePort: 8080, PublicPort: 20_000 + at, Type: 'tcp' },
      { IP: '::', PrivatePort: 8080, PublicPort: 20_000 + at, Type: 'tcp' },
    ],
    Labels: {
      ...(grouped ? { 'com.docker.compose.project': project } : {}),
      'org.opencontainers.image.title': `service ${at}`,
      'org.opencontainers.image.description': 'one of very many',
    },
    State: running ? 'running' : 'exited',
    Status: running ? `Up ${(at % 50) + 2} minutes (healthy)` : 'Exited (0) 2 hours ago',
    HostConfig: { NetworkMode: 'bridge' },
    NetworkSettings: { Networks: {} },
    Mounts: [],
  };
}

function imageOf(at: number): ImageSummary {
  const repository = `registry.example.com/team/app-${three(Math.floor(at / TAGS))}`;
  const size = 1_000_000 * (at + 1);
  return {
    Id: `sha256:a${at.toString(16).padStart(63, '0')}`,
    ParentId: '',
    RepoTags: [`${repository}:1.${at % TAGS}`],
    RepoDigests: [`${repository}@sha256:${at.toString(16).padStart(64, '0')}`],
    Created: 1_700_000_000 + at,
    Size: size,
    SharedSize: -1,
    VirtualSize: size,
    Labels: { maintainer: 'somebody@example.com' },
    Containers: -1,
  };
}
