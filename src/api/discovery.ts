/** Version discovery: what the API speaks, for clients that have no credentials yet. Pure. */
import { formatMicroversion, MAX_MICROVERSION, MIN_MICROVERSION } from './microversion.ts';

/** The body of GET / and GET /v3/. `root` is `http://host:port`. */
export function versionsDocument(root: string): object {
  return {
    versions: [
      {
        id: 'v3.0',
        status: 'CURRENT',
        version: formatMicroversion(MAX_MICROVERSION),
        min_version: formatMicroversion(MIN_MICROVERSION),
        // The day on which the served maximum last changed, in Cinder's releases.
        updated: '2022-08-31T00:00:00Z',
        links: [
          { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/' },
          { rel: 'self', href: `${root}/v3/` },
        ],
        'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.volume+json;version=3' }],
      },
    ],
  };
}
