/** Volume types as clients read them. Pure. */
import type { RequestContext } from '../../model/context.ts';
import type { VolumeType } from '../../model/volume-type.ts';

/** Extra specs that say nothing of the deployment's inside, so that everybody may see them. */
const PUBLIC_EXTRA_SPECS = ['RESKEY:availability_zones', 'multiattach', 'replication_enabled'];

/** Extra specs as this caller may see them. */
export function visibleExtraSpecs(type: VolumeType, context: RequestContext): Readonly<Record<string, string>> {
  if (context.isAdmin) return type.extraSpecs;
  return Object.fromEntries(Object.entries(type.extraSpecs).filter(([key]) => PUBLIC_EXTRA_SPECS.includes(key)));
}

export function volumeTypeView(type: VolumeType, context: RequestContext) {
  return {
    id: type.id,
    name: type.name,
    is_public: type.isPublic,
    description: type.description,
    extra_specs: visibleExtraSpecs(type, context),
    ...(context.isAdmin ? { qos_specs_id: type.qosSpecsId } : {}),
    'os-volume-type-access:is_public': type.isPublic,
  };
}
