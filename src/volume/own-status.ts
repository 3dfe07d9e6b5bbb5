/** What a volume service puts into the state report of its process beside how its backend is: locks, and who waits for what. */
import type { KeyedLock } from '../coordination/keyed-lock.ts';
import { flights } from '../lib/flight.ts';
import { contributeStatus } from '../lib/status.ts';
import { reportLock } from '../service/flight-report.ts';

/** The step of an operation that has its locks and waits for one of the places. */
export const WAITS_FOR_PLACE = 'waiting for a place';

/** From now on, until what it returns is called. */
export function contributeVolumeStatus(serviceHost: string, locks: KeyedLock, places: number): () => void {
  const forget = [
    contributeStatus({
      section: 'locks',
      name: serviceHost,
      read: () => locks.describe().map((lock) => reportLock(lock)),
    }),
    contributeStatus({
      section: 'queues',
      name: `operations of ${serviceHost}`,
      read: () => countQueue(serviceHost, places),
    }),
  ];
  return () => {
    for (const each of forget) each();
  };
}

function countQueue(serviceHost: string, places: number) {
  const ours = flights().filter(({ service }) => service === serviceHost);
  const forLock = ours.filter(({ waitsFor }) => waitsFor !== null).length;
  const forPlace = ours.filter(({ step }) => step.startsWith(WAITS_FOR_PLACE)).length;
  return { places, working: ours.length - forLock - forPlace, wait_for_lock: forLock, wait_for_place: forPlace };
}
