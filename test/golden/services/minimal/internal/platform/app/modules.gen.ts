// Written by Slipway from slipway.json: change it with `slipway add` and `slipway remove`.
import { admin } from '../admin/module.ts';
import { tracing } from './tracing.ts';
import { http } from '../http/module.ts';
import { metrics } from '../metrics/module.ts';

export const modules = [metrics, tracing, admin, http] as const;
