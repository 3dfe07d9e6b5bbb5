/** A volume type and what it asks of a backend (extra specs). */
export interface VolumeType {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly isPublic: boolean;
  readonly qosSpecsId: string | null;
  readonly extraSpecs: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly updatedAt: Date | null;
  readonly deletedAt: Date | null;
  readonly deleted: boolean;
}

export type NewVolumeType = Pick<VolumeType, 'id' | 'name'> &
  Partial<Pick<VolumeType, 'description' | 'isPublic' | 'extraSpecs'>>;

/** The name of the type that a volume gets when none is asked for and no other default is set. */
export const DEFAULT_VOLUME_TYPE_NAME = '__DEFAULT__';
