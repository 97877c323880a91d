// npm run build
import { build } from './install.mjs';

build();
