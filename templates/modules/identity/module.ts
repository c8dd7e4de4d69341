import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'identity',
  summary: 'Connects the module that authenticates callers to the modules that need to know them',
  category: 'security',
  part: true,
  wiring: { identity: 'internal/platform/identity/module.ts' },
  renamed: {
    'internal/identity/module.ts': 'internal/platform/identity/module.ts',
    'internal/identity/': 'internal/platform/identity/',
  },
});
