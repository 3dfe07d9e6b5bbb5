/** Makes the VM's image where it is missing. Started under a lock by test/support/kernel-image.ts. */
import { prepareImage } from '../../support/kernel-image.ts';

await prepareImage((line) => console.error(line));
