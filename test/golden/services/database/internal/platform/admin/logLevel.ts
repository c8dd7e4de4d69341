import { Type } from 'typebox';
import { controlOf } from '../log/control.ts';
import { config } from '../log/config.ts';
import type { Logger } from '../log/logger.ts';
import type { Admin } from './server.ts';

const Change = Type.Object(
  {
    level: config.properties.LOG_LEVEL,
    forSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
  },
  { additionalProperties: false },
);

/**
 * `GET /log-level`, and `PUT /log-level` with `{"level": "debug", "forSeconds": 300}`: without `forSeconds` the level stays
 * until SIGHUP or the end of the process, otherwise the configured one is back after that time.
 * @param admin the server of the admin port
 * @param log any logger of the process
 */
export function logLevelRoutes(admin: Admin, log: Logger): void {
  const control = controlOf(log);
  if (control === undefined) return;

  admin.get('/log-level', () => control.level);

  admin.put('/log-level', { schema: { body: Change } }, ({ body: { level, forSeconds } }) => {
    control.changeLevel(level, forSeconds === undefined ? undefined : forSeconds * 1000);
    return control.level;
  });
}
