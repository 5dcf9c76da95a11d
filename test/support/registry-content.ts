/** Puts small images into a registry over its API (OCI distribution specification), without an engine. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

const digestOf = (bytes: string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Uploads a blob and gives its descriptor. */
async function blob(
  registry: string,
  { name, bytes, mediaType }: { name: string; bytes: string; mediaType: string },
): Promise<object> {
  const begun = await fetch(`${registry}/v2/${name}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(begun.headers.get('location') ?? '', registry);
  const digest = digestOf(bytes);
  place.searchParams.set('digest', digest);
  const headers = { 'Content-Type': 'application/octet-stream' };
  const sent = await fetch(place, { method: 'PUT', body: bytes, headers });
  assert.equal(sent.status, 201);
  return { mediaType, digest, size: Buffer.byteLength(bytes) };
}

/** Puts an index of two platforms under a tag and gives its digest. */
export async function push(registry: string, name: string, tag: string): Promise<string> {
  const oci = 'application/vnd.oci.image';
  const put = async (reference: string, manifest: object, mediaType: string): Promise<object> => {
    const body = JSON.stringify(manifest);
    const headers = { 'Content-Type': mediaType };
    const url = `${registry}/v2/${name}/manifests/${reference}`;
    assert.equal((await fetch(url, { method: 'PUT', body, headers })).status, 201);
    return { mediaType, digest: digestOf(body), size: Buffer.byteLength(body) };
  };
  const layer = await blob(registry, {
    name,
    bytes: 'l'.repeat(4_200_000),
    mediaType: `${oci}.layer.v1.tar`,
  });
  const manifests: object[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const config = {
      architecture,
      os: 'linux',
      created: '2026-02-03T04:05:06Z',
      config: {
        Env: ['PATH=/bin', `TAG=${tag}`],
        User: 'sailor',
        Entrypoint: ['/entry'],
        WorkingDir: '/work',
        ExposedPorts: { '80/tcp': {} },
      },
      rootfs: { type: 'layers', diff_ids: [digestOf('l'.repeat(4_200_000))] },
    };
    const bytes = JSON.stringify(config);
    const described = await blob(registry, { name, bytes, mediaType: `${oci}.config.v1+json` });
    const manifest = {
      schemaVersion: 2,
      mediaType: `${oci}.manifest.v1+json`,
      config: described,
      layers: [layer],
    };
    const text = JSON.stringify(manifest);
    const entry = await put(digestOf(text), manifest, `${oci}.manifest.v1+json`);
    manifests.push({ ...entry, platform: { os: 'linux', architecture } });
  }
  const index = { schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests };
  await put(tag, index, `${oci}.index.v1+json`);
  return digestOf(JSON.stringify(index));
}
