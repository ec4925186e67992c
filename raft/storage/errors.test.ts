import { expect, it } from '@jest/globals';
import { StorageError } from './errors.js';

it('StorageError carries code, metadata and remedy', () => {
  const error = new StorageError('locked', 'seen', { directory: '/d' });
  expect(error).toMatchObject({ code: 'locked', metadata: { directory: '/d' }, name: 'StorageError' });
  expect(error.message).toBe(`seen. ${error.remedy}`);
});
