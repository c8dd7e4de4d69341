/** Nest on Express, hello world, as `nest new` lays it down; its decorators are called by hand. */
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class HelloController {
  hello() {
    return { hello: 'world' };
  }
}
Controller()(HelloController);
Get('hello')(HelloController.prototype, 'hello', Object.getOwnPropertyDescriptor(HelloController.prototype, 'hello'));

function HelloModule() {}
Module({ controllers: [HelloController] })(HelloModule);

const app = await NestFactory.create(HelloModule);
await app.listen(Number(process.env.PORT), '127.0.0.1');
