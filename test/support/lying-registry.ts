/** A registry on loopback whose answers a test can bend: it serves the content it was given, and lies where it is told to. */

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf } from './image-rig.ts';
import type { MadeLayer } from './image-rig.ts';

/** Answers a request itself and returns true, or leaves it to the honest registry. */
export type Lie = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface LyingRegistry {
  readonly address: string;
  readonly requests: string[];
  lie: Lie | undefined;
  /** Makes an image of the layers available under a path and tag; returns the manifest's digest. */
  publish(
    path: string,
    tag: string,
    image: { config: string; layers: readonly MadeLayer[] },
  ): string;
  put(kind: 'manifests' | 'blobs', name: string, content: { data: Buffer; type: string }): void;
  close(): Promise<void>;
}

export async function startLyingRegistry(): Promise<LyingRegistry> {
  const content = new Map<string, { data: Buffer; type: string }>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    // Through a proxy the whole address is asked for (RFC 9112, section 3.2.2).
    const url = new URL(request.url ?? '/', 'http://registry').pathname;
    requests.push(`${request.method ?? ''} ${url}`);
    if (registry.lie?.(request, response) === true) return;
    if (url === '/v2/') return void response.end('{}');
    const name = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url);
    const found =
      name === null
        ? undefined
        : (content.get(`${name[2] ?? ''} ${name[3] ?? ''}`) ??
          content.get(`${name[2] ?? ''} ${name[1] ?? ''}:${name[3] ?? ''}`));
    if (found === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      return void response.end(
        '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}',
      );
    }
    serve(request, response, found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry: LyingRegistry = {
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    requests,
    lie: undefined,
    put: (kind, name, entry) => content.set(`${kind} ${name}`, entry),
    publish: (path, tag, image) => {
      const config = Buffer.from(image.config);
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          config: {
            mediaType: 'application/vnd.oci.image.config.v1+json',
            digest: digestOf(config),
            size: config.length,
          },
          layers: image.layers.map((layer) => ({
            mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
            digest: layer.digest,
            size: layer.gzip.length,
          })),
        }),
      );
      const type = 'application/vnd.oci.image.manifest.v1+json';
      content.set(`manifests ${path}:${tag}`, { data: manifest, type });
      content.set(`manifests ${digestOf(manifest)}`, { data: manifest, type });
      content.set(`blobs ${digestOf(config)}`, { data: config, type: 'application/octet-stream' });
      for (const layer of image.layers)
        content.set(`blobs ${layer.digest}`, {
          data: layer.gzip,
          type: 'application/octet-stream',
        });
      return digestOf(manifest);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return registry;
}

function serve(
  request: IncomingMessage,
  response: ServerResponse,
  found: { data: Buffer; type: string },
): void {
  const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const start = from === undefined ? 0 : Number(from);
  const data = found.data.subarray(start);
  response.writeHead(from === undefined ? 200 : 206, {
    'content-type': found.type,
    'content-length': data.length,
    'docker-content-digest': digestOf(found.data),
    ...(from === undefined
      ? {}
      : {
          'content-range': `bytes ${from}-${String(found.data.length - 1)}/${String(found.data.length)}`,
        }),
  });
  response.end(data);
}
