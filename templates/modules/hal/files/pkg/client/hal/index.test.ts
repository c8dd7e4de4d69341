import { expect, it } from 'vitest';
import { hasLink, locate } from './index.ts';

const url = 'https://example.com/shop/v1/things/7';

function reply(href: unknown, templated = true) {
  return { response: { url }, data: { _links: { it: { href, templated }, no: undefined } } };
}

it.each([
  ['../things/8', {}, '/shop/v1/things/8'],
  ['./8?x={a}', { a: 'é&' }, '/shop/v1/things/8?x=%C3%A9%26'],
  ['../things/{id}{?a,b}', { id: 'a/b', b: false }, '/shop/v1/things/a%2Fb?b=false'],
  ['../things{?a,b}', {}, '/shop/v1/things'],
])('%s with %j is %s', (href, values, path) => {
  expect(locate(reply(href), 'it', values).href).toBe(`https://example.com${path}`);
});

it.each([
  ['../{id}', {}],
  ['../{id}', { id: '..' }],
  ['../{+id}', { id: 'a' }],
  ['../{id', { id: 'a' }],
  ['http://[', {}],
])('%s with %j is refused', (href, values) => {
  expect(() => locate(reply(href), 'it', values)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});

it('what is no template is not filled in', () => {
  expect(locate(reply('../{id}', false), 'it', { id: '7' }).pathname).toBe('/shop/v1/%7Bid%7D');
});

it('a link that is not there is none', () => {
  expect([hasLink(reply('./8'), 'it'), hasLink(reply('./8'), 'no'), hasLink(reply(7), 'it')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(() => locate(reply('./8'), 'no')).toThrow(expect.objectContaining({ code: 'link_missing', status: 404 }));
});
