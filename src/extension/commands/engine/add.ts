/** `pinnace.engine.add`: asks for an engine's name, address and TLS files and writes them into the setting `pinnace.engines`. */
import { parseAddress } from '../../../client/api/addresses.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { Command, Desk } from '../desk.ts';

export const engineAdd: Command = {
  id: 'pinnace.engine.add',
  title: 'Add Engine…',
  icon: '$(add)',
  run: async (desk) => {
    const address = await desk.ask({
      title: 'Add Engine: Address',
      prompt: 'unix:///path, tcp://host:port or ssh://user@host',
      placeholder: 'ssh://user@host',
      check: (text) => complaint(text, desk),
    });
    if (address === undefined) return;
    const name = await desk.ask({
      title: 'Add Engine: Name',
      prompt: 'How the engine is called in lists',
      value: suggestion(address.trim()),
      check: (text) => (text.trim() === '' ? 'A name is needed.' : undefined),
    });
    if (name === undefined) return;
    const tls = address.trim().startsWith('tcp:') ? await askTls(desk) : {};
    if (tls === undefined) return;
    const entry = { name: name.trim(), address: address.trim(), ...tls };
    await desk.setSetting('engines', [...entries(desk), entry]);
    await desk.engines.find();
    await desk.engines.choose(entry.address);
  },
};

/** The setting's value, or nothing where it is no list. */
export function entries(desk: Desk): unknown[] {
  const value = desk.setting('engines');
  return Array.isArray(value) ? [...(value as unknown[])] : [];
}

function complaint(text: string, desk: Desk): string | undefined {
  try {
    parseAddress(text.trim());
  } catch (error) {
    return messageOf(error);
  }
  const known = desk.engines.all.find(({ entry }) => entry.address === text.trim());
  return known === undefined ? undefined : `It is in the list already: ${known.entry.label}`;
}

function suggestion(address: string): string {
  return address.replace(/^[a-z+]+:\/\//, '').replace(/\/$/, '');
}

interface Tls {
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string };
}

/** Undefined: given up. */
async function askTls(desk: Desk): Promise<Tls | undefined> {
  const how = await desk.pick<'none' | 'server' | 'both'>('Add Engine: TLS', [
    {
      label: 'Client certificate',
      detail: 'TLS with ca.pem, cert.pem and key.pem of a folder',
      value: 'both',
    },
    {
      label: 'Server certificate only',
      detail: 'TLS with the ca.pem of a folder',
      value: 'server',
    },
    { label: 'No TLS', detail: 'Anybody on the way can read and change everything', value: 'none' },
  ]);
  if (how === undefined) return undefined;
  if (how === 'none') return {};
  const folder = await desk.chooseFile({ title: 'Folder with the PEM files', folder: true });
  if (folder === undefined) return undefined;
  const file = (name: string): string => `${folder}/${name}.pem`;
  return how === 'server'
    ? { tls: { ca: file('ca') } }
    : { tls: { ca: file('ca'), cert: file('cert'), key: file('key') } };
}
