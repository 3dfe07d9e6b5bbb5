/** Reads `transport_url`, in oslo.messaging's form. Pure; no error holds the URL, which holds a password. */
import { failure } from '../model/errors.ts';

export interface BrokerHost {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number | null;
  readonly user: string;
  readonly password: string;
}

export type TransportUrl =
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'rabbit';
      readonly hosts: readonly BrokerHost[];
      readonly vhost: string;
      /** Options of [oslo_messaging_rabbit] that the URL sets for itself. */
      readonly query: Readonly<Record<string, string>>;
    };

const EXAMPLE = 'rabbit://user:password@host:5672,host2:5672/vhost';
const GUEST = { user: 'guest', password: 'guest' };

/**
 * A host without user takes those of the host before it. No virtual host means `/`.
 * Throws InvalidConfigurationValue.
 */
export function parseTransportUrl(url: string): TransportUrl {
  const text = url.trim();
  if (/^memory:(\/\/)?\/?$/.test(text)) return { kind: 'memory' };
  const parts = /^([\w+.-]+):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(text);
  if (parts === null) throw invalid(`is no transport URL. Write it as ${EXAMPLE}, or memory: for a single process.`);
  const [, scheme = '', authority = '', vhost = '', query = ''] = parts;
  if (scheme.toLowerCase() !== 'rabbit') {
    throw invalid(`names a transport that is not known; known are rabbit:// and memory:. Write it as ${EXAMPLE}.`);
  }
  const name = decode(vhost);
  return {
    kind: 'rabbit',
    hosts: parseHosts(authority),
    vhost: name === '' ? '/' : name,
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** Where the brokers are, for people: no user, no password. */
export function describeHosts(hosts: readonly BrokerHost[], defaultPort = 5672): string {
  return hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port ?? defaultPort}`).join(', ');
}

function parseHosts(authority: string): readonly BrokerHost[] {
  let credentials = GUEST;
  return authority.split(',').map((entry) => {
    const at = entry.lastIndexOf('@');
    if (at !== -1) credentials = parseCredentials(entry.slice(0, at));
    return { ...parseAddress(entry.slice(at + 1)), ...credentials };
  });
}

function parseCredentials(text: string): { user: string; password: string } {
  const colon = text.indexOf(':');
  if (colon === -1) return { user: decode(text), password: '' };
  return { user: decode(text.slice(0, colon)), password: decode(text.slice(colon + 1)) };
}

function parseAddress(text: string): { host: string; port: number | null } {
  const parts = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.]+)?)\]|([^:[\]]*))(?::(\d*))?$/.exec(text);
  if (parts === null) throw invalid(`has a host that cannot be read; an IPv6 address stands in brackets. ${EXAMPLE}`);
  const [, bracketed, plain = '', port = ''] = parts;
  const host = bracketed ?? (plain === '' ? 'localhost' : decode(plain));
  if (port === '') return { host, port: null };
  const number = Number(port);
  if (number < 1 || number > 65535) throw invalid('has a port that is not between 1 and 65535.');
  return { host, port: number };
}

/** A stray per cent sign stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function invalid(reason: string) {
  return failure('InvalidConfigurationValue', { group: 'DEFAULT', option: 'transport_url', reason });
}
