import type { Check } from './check.js';

/** Rules between the keys of decode that make more of the search than a plain beam. */
export const searchChecks: readonly Check[] = [
  {
    keys: ['decode.alignment-layer', 'model.decoder.layers'],
    problem: ({ decode: { alignmentLayer }, model }) =>
      alignmentLayer !== null && alignmentLayer > model.decoder.layers
        ? `expected decode.alignment-layer to be at most model.decoder.layers; found ${alignmentLayer} and ${model.decoder.layers}`
        : undefined,
    hint: 'Layers count from 1; null takes the last but one.',
  },
  {
    keys: ['decode.alignment-head', 'model.attention-heads'],
    problem: ({ decode: { alignmentHead }, model }) =>
      alignmentHead !== null && alignmentHead > model.attentionHeads
        ? `expected decode.alignment-head to be at most model.attention-heads; found ${alignmentHead} and ${model.attentionHeads}`
        : undefined,
    hint: 'Heads count from 1; null takes the mean of all.',
  },
  {
    keys: ['decode.sampling', 'decode.diverse-beam-groups'],
    problem: ({ decode }) =>
      decode.sampling && decode.diverseBeamGroups > 1
        ? `decode.sampling draws each translation by itself, without a beam that could have groups; found decode.diverse-beam-groups: ${decode.diverseBeamGroups}`
        : undefined,
    hint: 'Choose one of them.',
  },
  {
    keys: ['decode.sampling-topk', 'decode.sampling-topp', 'decode.temperature', 'decode.sampling'],
    problem: ({ decode: { sampling, samplingTopk, samplingTopp, temperature } }) =>
      !sampling && (samplingTopk !== null || samplingTopp !== null || temperature !== 1)
        ? 'decode.sampling-topk, decode.sampling-topp and decode.temperature are about decode.sampling, which is false'
        : undefined,
    hint: 'Add --sampling, or leave them out.',
  },
  {
    keys: ['decode.diverse-beam-groups', 'decode.beam'],
    problem: ({ decode: { beam, diverseBeamGroups } }) =>
      beam % diverseBeamGroups !== 0
        ? `expected decode.beam to be a multiple of decode.diverse-beam-groups; found ${beam} and ${diverseBeamGroups}`
        : undefined,
    hint: 'All groups are alike wide.',
  },
  {
    keys: ['decode.diverse-beam-strength', 'decode.diverse-beam-groups'],
    problem: ({ decode: { diverseBeamGroups, diverseBeamStrength } }) =>
      diverseBeamGroups === 1 && diverseBeamStrength !== 0.5
        ? `decode.diverse-beam-strength is about decode.diverse-beam-groups, which is 1; found ${diverseBeamStrength}`
        : undefined,
    hint: 'Add --diverse-beam-groups, or leave it out.',
  },
  {
    keys: ['decode.constraints', 'decode.terminology', 'decode.sampling', 'decode.diverse-beam-groups'],
    problem: ({ decode }) =>
      (decode.constraints !== null || decode.terminology !== null) &&
      (decode.sampling || decode.diverseBeamGroups > 1)
        ? `phrases that must be there (decode.constraints, decode.terminology) are found by a beam; found ${decode.sampling ? 'decode.sampling' : 'decode.diverse-beam-groups'}`
        : undefined,
    hint: 'Leave one of them out.',
  },
  {
    keys: ['decode.ensemble-weights', 'decode.ensemble'],
    problem: ({ decode: { ensemble, ensembleWeights: weights } }) =>
      weights.length > 0 && weights.length !== ensemble.length + 1
        ? `expected decode.ensemble-weights for the run and each of decode.ensemble, ${ensemble.length + 1}; found ${weights.length}`
        : undefined,
    hint: 'The weight of the run comes first.',
  },
  {
    keys: ['decode.mbr', 'decode.beam'],
    problem: ({ decode: { mbr, beam } }) =>
      mbr !== null && beam === 1
        ? `decode.mbr chooses among decode.beam translations; found decode.beam: 1`
        : undefined,
    hint: 'Add --beam N: with --sampling, N translations are drawn.',
  },
];
