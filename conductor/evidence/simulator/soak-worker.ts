import { workOn } from '../../../raft/evidence/simulator/soak/work-on.js';
import { BROKEN_BY_SEEDS } from './known-violations.js';
import { runSeed } from './run.js';

const ignored = new Set(Object.keys(BROKEN_BY_SEEDS));

workOn((seed, chaosSteps) => runSeed({ seed, chaosSteps, ignored }));
