import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'supply-chain',
  summary: 'Licences, known vulnerabilities and an SBOM of what runs in production; Renovate',
  category: 'security',
  scripts: {
    licenses: 'node scripts/licenses.ts',
    audit: '{audit}',
    sbom: '{sbom}',
  },
  checks: ['licenses'],
  ownership: { seed: ['scripts/licenses.json', 'renovate.json'] },
  ci: {
    jobs: [
      // Runs on every push, so that a release has no known vulnerability. Renovate checks between pushes.
      { id: 'audit', summary: 'No known vulnerability in production', script: 'audit' },
    ],
  },
  next: {
    added: [
      'scripts/licenses.json lists the allowed licences; enable Renovate for the repository to use renovate.json',
    ],
  },
});
