/** `pinnace.engine.remove`: takes engines out of the setting `pinnace.engines`; the engines themselves are not touched. */
import type { Command, Desk } from '../desk.ts';
import { entries } from './add.ts';

export const engineRemove: Command = {
  id: 'pinnace.engine.remove',
  title: 'Remove Engine from List',
  icon: '$(trash)',
  run: async (desk, targets) => {
    const ids = await chosen(desk, targets);
    if (ids === undefined || ids.size === 0) return;
    const names = desk.engines.all
      .filter(({ entry }) => ids.has(entry.id))
      .map(({ entry }) => entry.label);
    const sure = await desk.confirm({
      message: `Remove ${names.join(', ')} from the list?`,
      detail: 'The engine itself, its containers and images are not touched.',
      action: 'Remove',
    });
    if (!sure) return;
    if (ids.has(desk.engines.active.entry.id)) await desk.engines.choose('pinnace');
    await desk.setSetting(
      'engines',
      entries(desk).filter((entry) => !ids.has(addressOf(entry) ?? '')),
    );
    await desk.engines.find();
  },
};

/** Of the rows those that are in the setting; without rows the user is asked. */
async function chosen(
  desk: Desk,
  targets: Parameters<Command['run']>[1],
): Promise<ReadonlySet<string> | undefined> {
  const own = new Set(entries(desk).map(addressOf));
  const rows = targets.flatMap((target) => (target.kind === 'engine' ? [target.id] : []));
  if (rows.length > 0) return new Set(rows.filter((id) => own.has(id)));
  const items = desk.engines.all
    .filter(({ entry }) => own.has(entry.id))
    .map(({ entry }) => ({ label: entry.label, description: entry.address, value: entry.id }));
  if (items.length === 0) {
    await desk.inform(
      'The setting pinnace.engines has no engine. Those found on the machine stay.',
    );
    return undefined;
  }
  const picked = await desk.pickMany('Remove Engine from List', items);
  return picked === undefined ? undefined : new Set(picked);
}

function addressOf(entry: unknown): string | undefined {
  const address: unknown =
    typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'address') : undefined;
  return typeof address === 'string' ? address.trim() : undefined;
}
