import { Body, Controller, Delete, Get, Param, ParseIntPipe, Post, Put } from '@nestjs/common';
import { type Funko, type NewFunko, NewFunkoPipe } from './funko.js';
import { FunkosService } from './funkos.service.js';

@Controller('rest/funkos')
export class FunkosController {
  constructor(private readonly funkos: FunkosService) {}

  @Get()
  findAll(): Funko[] {
    return this.funkos.findAll();
  }

  @Get(':id')
  findOne(@Param('id', ParseIntPipe) id: number): Funko {
    return this.funkos.findOne(id);
  }

  @Post()
  create(@Body(NewFunkoPipe) funko: NewFunko): Funko {
    return this.funkos.create(funko);
  }

  @Put(':id')
  update(@Param('id', ParseIntPipe) id: number, @Body(NewFunkoPipe) funko: NewFunko): Funko {
    return this.funkos.update(id, funko);
  }

  @Delete(':id')
  remove(@Param('id', ParseIntPipe) id: number): Funko {
    return this.funkos.remove(id);
  }
}
