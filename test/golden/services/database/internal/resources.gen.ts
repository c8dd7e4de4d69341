// Written by Slipway from slipway.json: change it with `slipway resource`.
import { items } from './items/module.ts';

export const resources = [items] as const;
