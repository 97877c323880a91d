import './gradients.js';

/** The tensor and autodiff API, with the gradients that the program needs registered. The only way to tfjs. */
export * as tf from '@tensorflow/tfjs-core';
