import { StorageError } from './errors.js';

/**
 * Formats of a data directory that this release reads. It writes the newest. A release reads its own format and that of the
 * release before (docs/FORMATS.md). Formats below 2 were never released.
 */
export const STORAGE_FORMATS: { oldest: number; newest: number } = { oldest: 2, newest: 2 };

/**
 * @param format the stored format number
 * @throws StorageError when only another release can read the directory, or the record is invalid
 */
export function checkFormat(
  format: Buffer | undefined,
  manifest: Buffer | undefined,
  directory: string,
): void {
  if (format === undefined && manifest === undefined) {
    throw new StorageError('foreign-database', `${directory} holds a database of another program`, {
      directory,
    });
  }
  const text = format?.toString() ?? '';
  if (!/^[1-9][0-9]{0,8}$/.test(text)) {
    throw new StorageError('damaged-database', `${directory} has lost its format record`, { directory });
  }
  const version = Number(text);
  const { oldest, newest } = STORAGE_FORMATS;
  if (version >= oldest && version <= newest) return;
  throw new StorageError(
    version > newest ? 'newer-format' : 'older-format',
    `${directory} has format ${version}, this release reads ${oldest === newest ? newest : `${oldest} to ${newest}`}`,
    { directory, format: version, ...STORAGE_FORMATS },
  );
}
