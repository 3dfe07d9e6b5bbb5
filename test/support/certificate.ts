/** A certificate for 127.0.0.1 by an authority of its own, made by openssl. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Paths. */
export interface TestCertificate {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const run = promisify(execFile);

export async function makeTestCertificate(directory: string): Promise<TestCertificate> {
  const at = (name: string) => join(directory, name);
  const made = { authority: at('ca.pem'), certificate: at('cert.pem'), key: at('key.pem') };
  const fresh = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  await run('openssl', [
    'req',
    '-x509',
    ...fresh,
    '-subj',
    '/CN=test',
    '-keyout',
    at('ca.key'),
    '-out',
    made.authority,
  ]);
  await run('openssl', ['req', ...fresh, '-subj', '/CN=broker', '-keyout', made.key, '-out', at('request.pem')]);
  await writeFile(at('extensions'), 'subjectAltName = IP:127.0.0.1\n');
  const signed = ['-CA', made.authority, '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
  const files = ['-in', at('request.pem'), '-out', made.certificate, '-extfile', at('extensions')];
  await run('openssl', ['x509', '-req', ...signed, ...files]);
  return made;
}
