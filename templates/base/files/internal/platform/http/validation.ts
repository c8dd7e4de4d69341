import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler';

const compiler = AjvCompiler();

/**
 * For Fastify's `schemaController`: validates by JSON Schema and changes nothing. An unknown field is not dropped in silence,
 * and `"5"` in a body is no number; what comes in a URL or a header is text, so there a number may be written as such.
 * Only the first fault is reported: to collect them all would let a small request cost much.
 */
export const buildValidator: BuildCompilerFromPool = (schemas) => {
  const exact = compiler(schemas, { customOptions: { removeAdditional: false, coerceTypes: false } });
  const converting = compiler(schemas, { customOptions: { removeAdditional: false, coerceTypes: 'array' } });
  return (route) => (isBody(route) ? exact : converting)(route);
};

function isBody(route: object | boolean): boolean {
  return typeof route === 'object' && 'httpPart' in route && route.httpPart === 'body';
}
