import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { patched } from '../../../../raft/evidence/simulator/mutants/patched.js';
import { mutantNamed } from './mutants.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Set by the process that starts jest. */
const { patches } = mutantNamed(process.env['BATON_MUTANT'] ?? '');

/** Lets jest run tests on sources with the mutant's fault. */
const transform = {
  process(source: string, file: string): { code: string } {
    const { outputText } = ts.transpileModule(withFault(source, file), {
      fileName: file,
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
        esModuleInterop: true,
        inlineSourceMap: true,
      },
    });
    return { code: outputText };
  },
  getCacheKey: (source: string, file: string): string =>
    createHash('sha256').update(withFault(source, file)).update(file).digest('hex'),
};

function withFault(source: string, file: string): string {
  const name = file.replace(ROOT, '');
  return patched(
    source,
    patches.filter((patch) => patch.file === name),
  );
}

export default transform;
