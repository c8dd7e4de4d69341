// Written by Slipway from slipway.json: change it with `slipway resource`.

export const resources = [] as const;
