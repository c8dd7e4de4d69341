import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'http2-connections',
  summary: 'How connections by HTTP/2 end: without a lost request, and not held open by their clients',
  category: 'api',
  part: true,
  renamed: {
    'internal/http/connections/farewell.ts': 'internal/platform/http2/connections.ts',
    'internal/http/connections/http2Errors.ts': 'internal/platform/http2/connections.ts',
    'internal/http/connections/lingering.ts': 'internal/platform/http2/connections.ts',
    'internal/http/connections/lingering.test.ts': 'internal/platform/http2/connections.test.ts',
  },
});
