import { createLogger } from '../../internal/platform/log/logger.ts';
import { migrate } from '../../internal/platform/postgres/migrate.ts';

// Migrates the database: `up` by default, or `down`, or `status`.
process.exitCode = await migrate(process.argv.slice(2), process.env, await createLogger('info'));
