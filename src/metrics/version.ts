/** Our own version, a constant so that the metrics run where there is no file system (a test compares it with package.json). */
export const IMPLEMENTATION = 'admin-nmt';
export const VERSION = '0.1.0';

/** The release of sacreBLEU whose numbers these metrics give. */
export const SACREBLEU_VERSION = '2.6.0';
