// Written by Slipway from slipway.json: change it with `slipway add` and `slipway remove`.
import { admin } from '../admin/module.ts';
import { tracing } from './tracing.ts';
import { contract } from '../contract/module.ts';
import { http } from '../http/module.ts';
import { metrics } from '../metrics/module.ts';
import { postgres } from '../postgres/module.ts';
import { memory } from '../resource/memory.ts';
import { telemetry } from '../telemetry/module.ts';

export const modules = [metrics, tracing, admin, http, contract, postgres, memory, telemetry] as const;
