import { createLogger } from '../../internal/platform/log/logger.ts';
import { migrate } from '../../internal/platform/postgres/command.ts';

// The migrations of the database, as a process of their own: `up` unless told `down` or `status`.
process.exitCode = await migrate(process.argv.slice(2), process.env, await createLogger('info'));
