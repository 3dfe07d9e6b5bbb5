/** What the API says of itself, and to what it does not know. */
import type { Parity } from '../../support/parity.ts';
import { versions } from './versions.ts';

export async function discovery({ ask }: Parity): Promise<void> {
  for (const path of ['/', '/v3/', '/v3']) {
    for (const version of [null, '3.0', '3.70', '3.71']) {
      await ask('GET', path, undefined, { absolute: true, version });
    }
    await ask('GET', path, undefined, { absolute: true, headers: { 'x-auth-token': '' }, note: 'no token' });
  }
  for (const version of ['3.71', '2.0', '4.0', 'latest', '3', 'three', '3.0.0', '', '3.-1', '03.1', '3.01', null]) {
    await ask('GET', '/volumes', undefined, { version });
  }
  for (const header of ['volume 3.8, compute 2.1', 'compute 2.1', 'volume', '3.8', 'volume  3.8', 'Volume 3.8']) {
    const headers = { 'openstack-api-version': header };
    await ask('GET', '/volumes', undefined, { headers, version: null, note: header });
  }
  for (const version of versions) await ask('GET', '/extensions', undefined, { version });
  await ask('GET', '/extensions/os-extended-services');
  await ask('GET', '/extensions/none');
  for (const path of ['/nothing', '/volumes/a/b/c/d', '/', '']) await ask('GET', path);
  await ask('GET', '/v2/', undefined, { absolute: true });
  await ask('GET', '/nothing', undefined, { absolute: true });
  await ask('GET', '/v3/other_project!/volumes', undefined, { absolute: true, note: 'odd project' });
  await ask('GET', '/v3/fedcba/volumes', undefined, { absolute: true, note: "another's project" });
  for (const version of ['3.66', '3.67']) {
    for (const path of ['/v3/volumes', '/v3/volumes/detail', '/v3/types', '/v3/limits']) {
      await ask('GET', path, undefined, { absolute: true, version, note: 'no project' });
    }
  }
  for (const [method, path] of [
    ['PUT', '/volumes'],
    ['DELETE', '/volumes'],
    ['PATCH', '/volumes'],
    ['POST', '/volumes/detail'],
    ['PUT', '/limits'],
    ['POST', '/limits'],
    ['DELETE', '/os-availability-zone'],
  ] as const) {
    await ask(method, path, method === 'DELETE' ? undefined : {});
  }
}
