import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'middleware',
  summary: 'Named, measured middleware that can be changed at run time (block a caller, lift a limit)',
  category: 'reliability',
  wiring: { middleware: 'internal/platform/middleware/module.ts' },
  next: {
    added: ['add your own middleware with use(http).chain.add; GET /middleware on the admin port shows the chain'],
  },
  renamed: {
    'internal/middleware/': 'internal/platform/middleware/',
    'docs/runbooks/middleware-off.md': 'docs/runbooks/middleware.md',
    'docs/runbooks/middleware-failing.md': 'docs/runbooks/middleware.md',
    'internal/middleware/kinds.ts': 'internal/platform/middleware/blocks.ts',
    'internal/middleware/block.ts': 'internal/platform/middleware/blocks.ts',
    'internal/middleware/block.test.ts': 'internal/platform/middleware/blocks.test.ts',
    'internal/middleware/measured.ts': 'internal/platform/middleware/runningChain.ts',
    'internal/middleware/metrics.ts': 'internal/platform/middleware/module.ts',
    'internal/middleware/entry.ts': 'internal/platform/middleware/runningChain.ts',
    'internal/middleware/runningChain.ts': 'internal/platform/middleware/runningChain.ts',
    'internal/middleware/inTurn.ts': 'internal/platform/middleware/runningChain.ts',
    'internal/platform/middleware/kinds.ts': 'internal/platform/middleware/blocks.ts',
    'internal/platform/middleware/kinds.test.ts': 'internal/platform/middleware/blocks.test.ts',
    'internal/platform/middleware/metrics.ts': 'internal/platform/middleware/module.ts',
  },
});
