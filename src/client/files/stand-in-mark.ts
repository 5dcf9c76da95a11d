/** How the containers that only serve to look at files are known among the others. Pure: asks no engine. */

/** On every such container, and on the image that is brought where an engine has none: what it shows. */
export const STAND_IN_LABEL = 'io.pinnace.files';
/** `<host>/<process>` that made it and takes it away again. */
export const STAND_IN_OWNER_LABEL = 'io.pinnace.files.owner';

/** Whether a container or an image is one of these: people never see them. */
export function isStandIn({
  Labels,
}: {
  readonly Labels?: Readonly<Record<string, string>> | null;
}): boolean {
  return Labels?.[STAND_IN_LABEL] !== undefined;
}
