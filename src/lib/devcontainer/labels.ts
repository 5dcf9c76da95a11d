/** The labels by which a dev container is found again; the same as the reference implementation's, so that both see each other's. */

export const LOCAL_FOLDER = 'devcontainer.local_folder';
export const CONFIG_FILE = 'devcontainer.config_file';
/** JSON list of the configuration's parts that apply when the container is entered. */
export const METADATA = 'devcontainer.metadata';
/** Digest of the configuration that made the container: another one means that it is out of date. */
export const CONFIG_HASH = 'org.pinnace.config-hash';
/** In the place of that digest: a container in which nothing of the configuration ran, made so that it can be mended. */
export const RECOVERY = 'recovery';

/** What entering a container needs of its configuration. */
export interface EntryMetadata {
  readonly remoteUser?: string;
  readonly remoteEnv?: Record<string, string | null>;
  readonly workspaceFolder?: string;
}
