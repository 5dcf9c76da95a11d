// `npm run images [-- --serve [PORT]]`: makes the base images; with --serve, offers them on loopback as a mirror of docker.io until interrupted.
import { makeImages } from '../lib/images.ts';
import { serveImages } from '../lib/registry.ts';

const [flag, port] = process.argv.slice(2);
if (flag === undefined) {
  for (const [name, path] of await makeImages()) console.log(`${name}\t${path}`);
} else if (flag === '--serve') {
  const registry = await serveImages(port === undefined ? 5000 : Number(port));
  console.log(
    `serving on ${registry.url}; use it with PINNACE_REGISTRY_MIRROR=docker.io=${registry.url}`,
  );
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await registry.stop();
} else {
  console.error(`unknown option ${flag}; there is --serve [PORT]`);
  process.exitCode = 2;
}
