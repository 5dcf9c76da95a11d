/**
 * Creates a container in which the workspace belongs to the user inside and, on the host, to its owner: tells the engine
 * the ids of that user, which only the image's passwd file knows. Engines without this keep the ids as they are.
 */
import { text } from 'node:stream/consumers';
import { Parser } from 'tar';
import type { ContainerCreateRequest } from '../../lib/api/containers.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { isPinnace } from './dial.ts';

interface Created {
  readonly Id: string;
  readonly Warnings: string[];
}

/** `remoteUser` is the user that works there; undefined: the container's. */
export async function createOwned(
  client: Client,
  request: ContainerCreateRequest,
  remoteUser: string | undefined,
): Promise<Created> {
  const created = await client.containers.create(undefined, request);
  if (!(await isPinnace(client))) return created;
  try {
    const config = (await client.containers.inspect(created.Id)).Config;
    const owner = await idsOf(client, created.Id, remoteUser ?? config.User ?? '');
    await client.containers.remove(created.Id, { force: true, volumes: true });
    const HostConfig = { ...request.HostConfig, PinnaceOwner: owner };
    return await client.containers.create(undefined, { ...request, HostConfig });
  } catch (error) {
    await client.containers
      .remove(created.Id, { force: true, volumes: true })
      .catch((failed: unknown) => {
        if (kindOf(failed) !== 'not-found') throw failed;
      });
    throw error;
  }
}

/** The numbers of `user`, `uid`, `user:group` or `uid:gid` by the container's own files; of `` those of root. */
async function idsOf(
  client: Client,
  container: string,
  user: string,
): Promise<{ Uid: number; Gid: number }> {
  const [name = '', group = ''] = user.split(':');
  if (name === '' || name === 'root' || name === '0') return { Uid: 0, Gid: 0 };
  const passwd = rowsOf(await readInside(client, container, '/etc/passwd'));
  const entry = passwd.find((row) => row[0] === name || row[2] === name);
  const uid = Number(/^\d+$/.test(name) ? name : entry?.[2]);
  if (!Number.isInteger(uid))
    throw new EngineError(
      'invalid',
      `the user ${name} is not in the image's /etc/passwd; set remoteUser to one that is`,
    );
  const gid = Number(entry?.[3] ?? 0);
  if (group === '') return { Uid: uid, Gid: gid };
  if (/^\d+$/.test(group)) return { Uid: uid, Gid: Number(group) };
  const row = rowsOf(await readInside(client, container, '/etc/group')).find(
    ([first]) => first === group,
  );
  return { Uid: uid, Gid: Number(row?.[2] ?? gid) };
}

function rowsOf(file: string): string[][] {
  return file.split('\n').map((line) => line.split(':'));
}

/** The text of a file of the container, `` when there is none. */
export async function readInside(client: Client, container: string, path: string): Promise<string> {
  try {
    const { tar } = await client.containers.archiveGet(container, path);
    const texts: Promise<string>[] = [];
    const parser = new Parser({
      onReadEntry: (entry) => texts.push(text(entry)),
    });
    for await (const chunk of tar) parser.write(chunk as Buffer);
    parser.end();
    return (await Promise.all(texts)).join('');
  } catch (error) {
    if (kindOf(error) === 'not-found') return '';
    throw error;
  }
}
