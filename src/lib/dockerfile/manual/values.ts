/** The manual of values: signals, well-known ports and the labels of OCI images. Data only. */

export interface Signal {
  readonly name: string;
  /** On Linux, x86 and ARM. */
  readonly number: number;
  readonly summary: string;
}

/** signal(7). */
export const SIGNALS: readonly Signal[] = [
  { name: 'SIGTERM', number: 15, summary: 'asks to end (the default of docker stop)' },
  { name: 'SIGINT', number: 2, summary: 'interrupt, as Ctrl-C' },
  { name: 'SIGQUIT', number: 3, summary: 'quit; nginx ends gracefully with it' },
  { name: 'SIGHUP', number: 1, summary: 'hang-up; many daemons read their configuration again' },
  { name: 'SIGUSR1', number: 10, summary: "the program's own, first" },
  { name: 'SIGUSR2', number: 12, summary: "the program's own, second" },
  { name: 'SIGWINCH', number: 28, summary: 'window size; Apache httpd ends gracefully with it' },
  { name: 'SIGKILL', number: 9, summary: 'ends at once; it cannot be caught' },
  { name: 'SIGABRT', number: 6, summary: 'abort, with a core dump' },
  { name: 'SIGALRM', number: 14, summary: 'alarm clock' },
  { name: 'SIGCONT', number: 18, summary: 'goes on after a stop' },
  { name: 'SIGSTOP', number: 19, summary: 'stops; it cannot be caught' },
  { name: 'SIGTSTP', number: 20, summary: 'stop typed at the terminal' },
  { name: 'SIGPWR', number: 30, summary: 'power failure' },
  { name: 'SIGRTMIN+3', number: 37, summary: 'halts systemd in a container' },
];

/** The signal that a name with or without `SIG`, or a number, means. */
export function signalOf(text: string): Signal | undefined {
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  return SIGNALS.find((signal) => signal.name === name || String(signal.number) === text);
}

/** Ports that people know by heart, and a few that they look up: the IANA registry and common practice. */
export const PORTS: Readonly<Record<string, string>> = {
  '21': 'FTP',
  '22': 'SSH',
  '25': 'SMTP',
  '53': 'DNS',
  '80': 'HTTP',
  '110': 'POP3',
  '123': 'NTP',
  '143': 'IMAP',
  '389': 'LDAP',
  '443': 'HTTPS',
  '465': 'SMTP over TLS',
  '514': 'syslog',
  '587': 'mail submission',
  '636': 'LDAP over TLS',
  '853': 'DNS over TLS',
  '993': 'IMAP over TLS',
  '1433': 'Microsoft SQL Server',
  '1521': 'Oracle Database',
  '1883': 'MQTT',
  '2181': 'ZooKeeper',
  '2375': 'Docker Engine API without TLS',
  '2376': 'Docker Engine API with TLS',
  '2379': 'etcd, clients',
  '2380': 'etcd, peers',
  '3000': 'development servers (Node, Rails), Grafana',
  '3306': 'MySQL, MariaDB',
  '3389': 'Remote Desktop',
  '4222': 'NATS',
  '4317': 'OpenTelemetry over gRPC',
  '4318': 'OpenTelemetry over HTTP',
  '5000': 'container registry, Flask',
  '5173': 'Vite',
  '5432': 'PostgreSQL',
  '5672': 'AMQP (RabbitMQ)',
  '5900': 'VNC',
  '6379': 'Redis, Valkey',
  '6443': 'Kubernetes API',
  '8000': 'HTTP, development',
  '8080': 'HTTP, alternative',
  '8443': 'HTTPS, alternative',
  '8883': 'MQTT over TLS',
  '9000': 'PHP-FPM, MinIO',
  '9042': 'Cassandra',
  '9090': 'Prometheus',
  '9092': 'Kafka',
  '9200': 'Elasticsearch, OpenSearch',
  '9229': 'Node inspector',
  '11211': 'memcached',
  '15672': 'RabbitMQ management',
  '27017': 'MongoDB',
};

/** Labels that the OCI image specification (annotations.md) names. */
export const IMAGE_LABELS: Readonly<Record<string, string>> = {
  'org.opencontainers.image.title': 'the name for people',
  'org.opencontainers.image.description': 'what the image is, for people',
  'org.opencontainers.image.version': 'the version of the packaged software',
  'org.opencontainers.image.authors': 'whom to ask about the image',
  'org.opencontainers.image.vendor': 'who distributes the image',
  'org.opencontainers.image.licenses': 'licences as an SPDX expression',
  'org.opencontainers.image.url': 'where to learn more about the image',
  'org.opencontainers.image.documentation': 'where the documentation is',
  'org.opencontainers.image.source': 'where the source code is',
  'org.opencontainers.image.revision': 'the revision of the source code',
  'org.opencontainers.image.created': 'when it was built (RFC 3339)',
  'org.opencontainers.image.ref.name': 'the name of this reference',
  'org.opencontainers.image.base.name': 'the base image',
  'org.opencontainers.image.base.digest': 'the digest of the base image',
};
