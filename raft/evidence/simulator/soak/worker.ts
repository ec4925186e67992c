import { runSeed } from '../run.js';
import { loadCovered } from './coverage.js';
import { workOn } from './work-on.js';

const loading = loadCovered();
let reached: () => Record<string, number> = () => ({});

workOn(
  async (seed, chaosSteps) => {
    const covered = await loading;
    reached = covered.reached;
    return runSeed({ seed, chaosSteps, coreHost: covered.coreHost });
  },
  () => ({ reached: reached() }),
);
