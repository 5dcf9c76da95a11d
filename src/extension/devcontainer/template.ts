/** The devcontainer.json files that a folder can be given: text from what lies in the folder. Pure. */

export interface Template {
  readonly label: string;
  readonly description: string;
  /** Path below the folder → text. */
  readonly files: Readonly<Record<string, string>>;
}

const IMAGES: readonly (readonly [label: string, image: string, description: string])[] = [
  ['Debian', 'debian:bookworm-slim', 'A small Debian 12'],
  ['Ubuntu', 'ubuntu:24.04', 'Ubuntu 24.04 LTS'],
  ['Node.js', 'node:24-bookworm-slim', 'Node.js 24 on Debian 12'],
  ['Python', 'python:3.13-slim-bookworm', 'Python 3.13 on Debian 12'],
  ['Go', 'golang:1.25-bookworm', 'Go 1.25 on Debian 12'],
  ['Rust', 'rust:1-bookworm', 'Rust on Debian 12'],
  ['Java', 'eclipse-temurin:21-jdk', 'A Java 21 development kit'],
  ['Alpine', 'alpine:3.22', 'A small Alpine Linux'],
];

/** Those for the folder's own Dockerfiles first, then for the images that its compose files name, then well-known images. */
export function templatesFor(
  name: string,
  found: { readonly dockerfiles: readonly string[]; readonly composeImages: readonly string[] },
): Template[] {
  return [
    ...found.dockerfiles.map((file) => ({
      label: `From ${file}`,
      description: 'Builds the image of this folder',
      files: configuration(name, { build: { dockerfile: `../${file}`, context: '..' } }),
    })),
    ...[...new Set(found.composeImages)].map((image) => ({
      label: `From ${image}`,
      description: "The image of a service of this folder's compose file",
      files: configuration(name, { image }),
    })),
    ...IMAGES.map(([label, image, description]) => ({
      label,
      description: `${description} (${image})`,
      files: configuration(name, { image }),
    })),
  ];
}

function configuration(name: string, source: object): Record<string, string> {
  const body = JSON.stringify(
    { name, ...source, customizations: { vscode: { extensions: [] } } },
    null,
    2,
  );
  return {
    '.devcontainer/devcontainer.json': `// The properties are explained at https://containers.dev/implementors/json_reference/\n${body}\n`,
  };
}
