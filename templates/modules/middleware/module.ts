import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'middleware',
  summary: 'Named, measured middleware that can be changed at run time (block a caller, lift a limit)',
  category: 'reliability',
  wiring: { middleware: 'internal/platform/middleware/module.ts' },
  renamed: {
    'internal/middleware/': 'internal/platform/middleware/',
    'docs/runbooks/middleware-off.md': 'docs/runbooks/middleware.md',
    'docs/runbooks/middleware-failing.md': 'docs/runbooks/middleware.md',
  },
});
