import { Document, visit } from 'yaml';
import type { WrittenConfig } from './schema.js';

/** A config as YAML that loads as the same config again. */
export function formatConfig(written: WrittenConfig): string {
  const document = new Document(written, { version: '1.2', aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, node) {
      node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 });
}
