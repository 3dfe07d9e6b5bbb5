/** True for an address or name that only this machine can reach. */
export function isLoopback(address: string): boolean {
  return (
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address) ||
    ['::1', '[::1]', 'localhost'].includes(address) ||
    (address.startsWith('::ffff:') && isLoopback(address.slice('::ffff:'.length)))
  );
}
