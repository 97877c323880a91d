import { workerData } from 'node:worker_threads';
import { type SharedWork, workOff } from './threads.js';

// What runs on a further thread of `score`.
workOff(workerData as SharedWork);
