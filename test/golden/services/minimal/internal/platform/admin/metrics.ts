import type { Metrics } from '../metrics/module.ts';
import { openMetricsType } from '../metrics/openMetrics.ts';
import type { Admin } from './server.ts';

/**
 * `GET /metrics`, in OpenMetrics' format when the scraper names it, otherwise in Prometheus' own.
 * @param admin the server of the admin port
 * @param metrics what is measured
 */
export function metricsRoute(admin: Admin, { registry, text, openMetrics }: Metrics): void {
  admin.get('/metrics', async (request, reply) => {
    if (request.headers.accept?.includes('application/openmetrics-text')) {
      reply.type(openMetricsType);
      return openMetrics();
    }
    reply.type(registry.contentType);
    return text();
  });
}
