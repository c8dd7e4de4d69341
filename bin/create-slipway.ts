#!/usr/bin/env node
import { main } from './main.ts';

const args = process.argv.slice(2);
void main(args.includes('--version') || args.includes('-v') ? args : ['new', ...args]);
