import { registerServiceTree } from './serviceTree.ts';

registerServiceTree();
