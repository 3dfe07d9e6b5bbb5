/** Who can say how he is says it here, for the state report: connections, services, queues. Read only when asked. */
export type StatusSection = 'connections' | 'services' | 'locks' | 'queues';

export interface StatusSource {
  readonly section: StatusSection;
  /** Unique in its section: `database postgresql://…`, `cinder-volume node@lvm`. */
  readonly name: string;
  /** JSON. May take a moment (a ping); what it throws is reported in its place. */
  read(): unknown;
}

const sources = new Set<StatusSource>();

/** From now on it is part of every report, until what it returns is called. */
export function contributeStatus(source: StatusSource): () => void {
  sources.add(source);
  return () => void sources.delete(source);
}

export function statusSources(section: StatusSection): readonly StatusSource[] {
  return [...sources].filter((source) => source.section === section);
}
