import { headroom, isThin, type PoolState, reservedGb } from '../pool-state.ts';
import { type Filter, pass, refuse } from './filter.ts';

/** The pool has room for it. A capacity that a backend cannot say counts as enough. */
export const capacityFilter: Filter = {
  name: 'CapacityFilter',
  check({ pool }, { sizeGb, extraSpecs }) {
    const thin = isThin(pool, extraSpecs);
    const room = headroom(pool, thin);
    if (room.kind !== 'known' || room.gb >= sizeGb) return pass;
    const left = `has ${oneDecimal(room.gb)} GiB ${thin ? 'of virtual capacity left' : 'free'}`;
    return refuse(`${left}, ${sizeGb} GiB asked for${circumstances(pool, thin)}`);
  },
};

function circumstances(pool: PoolState, thin: boolean): string {
  const { reservedPercentage, maxOverSubscriptionRatio, provisionedGb } = pool.stats;
  const promised = reservedGb(pool);
  const parts = [
    thin ? `ratio ${Number(maxOverSubscriptionRatio.toFixed(2))}, ${oneDecimal(provisionedGb)} GiB provisioned` : '',
    reservedPercentage > 0 ? `reserved ${reservedPercentage} %` : '',
    promised > 0 ? `${oneDecimal(promised)} GiB promised to other requests` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** Rounded down: 9.96 free of 10 asked for must not read as enough. */
function oneDecimal(gb: number): string {
  return (Math.floor(gb * 10) / 10).toFixed(1);
}
