import { Type } from 'typebox';
import { type Rule, rule } from '../config/config.ts';
import { config } from './config.ts';

const { OTEL_EXPORTER_OTLP_ENDPOINT } = config.properties;

/** What a pattern cannot tell. */
export const rules: readonly Rule[] = [
  rule(Type.Object({ OTEL_EXPORTER_OTLP_ENDPOINT }), ({ OTEL_EXPORTER_OTLP_ENDPOINT: given }) =>
    given === '' || URL.canParse(given)
      ? undefined
      : { variable: 'OTEL_EXPORTER_OTLP_ENDPOINT', expected: 'a URL', given, example: 'http://localhost:4318' },
  ),
];
