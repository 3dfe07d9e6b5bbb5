/** The last thing that a start prints. */
export function renderBanner(node: { readonly url: string; readonly stateDir: string }): string {
  return [
    '',
    `Ashlar is up. API: ${node.url}`,
    `Credentials: ${node.stateDir}/admin-token (npx ashlar finds them by itself)`,
    `Log: ${node.stateDir}/log/ashlar.log`,
    '',
    'Try, in another terminal:',
    '  npx ashlar volume create --size 1 --name data',
    '  npx ashlar attachment create data --initiator iqn.2004-10.com.example:one --url',
    '  npx ashlar volume list',
    '',
    'Ctrl-C stops it.',
  ].join('\n');
}
