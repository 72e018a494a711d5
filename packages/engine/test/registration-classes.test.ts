// Workflows and steps as plain functions, static methods and instance methods, by wrapper and by decorator.

import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { contract, currentStep, runStep, sleep, startWorkflow, step, Step, Workflow, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

class Shop {
  readonly #rate: number;
  constructor(rate: number) {
    this.#rate = rate;
  }
  static async list(this: void, sku: string): Promise<string> {
    return `listed ${sku}`;
  }
  async price(count: number): Promise<number> {
    return count * this.#rate;
  }
}

test('functions, static methods and bound instance methods are steps and workflows by wrapper [60]', async () => {
  const shop = new Shop(3);
  const list = step('list', Shop.list);
  const price = step('price', shop.price.bind(shop));
  const buy = workflow('wrapped-buy', async (count: number) => [await list('A-1'), await price(count)]);
  const listing = workflow('wrapped-static', Shop.list);
  const pricing = workflow('wrapped-instance', shop.price.bind(shop));
  const engine = await db.launchEngine({ workflows: [buy, listing, pricing] });

  const runs = await Promise.all([
    engine.startWorkflow(buy, 2),
    engine.startWorkflow(listing, 'B-2'),
    engine.startWorkflow(pricing, 5),
  ]);

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual([['listed A-1', 6], 'listed B-2', 15]);
});

test('a class runs as a workflow on the registered instance, and its decorated methods are steps [60]', async () => {
  @Workflow('class-checkout')
  class Checkout {
    readonly #payments: Shop;
    constructor(payments: Shop) {
      this.#payments = payments;
    }
    async run(count: number): Promise<string> {
      return `total ${await this.charge(count)}`;
    }
    @Step({ name: 'charge the card' })
    async charge(count: number): Promise<number> {
      return this.#payments.price(count);
    }
  }
  const engine = await db.launchEngine();
  engine.register(new Checkout(new Shop(10)));

  const run = await engine.startWorkflow(Checkout, 4);

  expect(await run.result()).toBe('total 40');
  expect(await engine.runs.steps(run.id)).toMatchObject([{ name: 'charge the card', kind: 'step', output: 40 }]);
});

test('a step method has the options of a step [60]', async () => {
  @Workflow('class-retry')
  class Flaky {
    async run(): Promise<string> {
      return this.send();
    }
    @Step({ retry: { maxAttempts: 3, delay: 0 } })
    async send(): Promise<string> {
      const { name, attempt, maxAttempts } = currentStep();
      if (attempt < 3) throw new Error('not yet');
      return `${name} ${attempt}/${maxAttempts}`;
    }
  }
  const engine = await db.launchEngine();
  engine.register(new Flaky());

  const run = await engine.startWorkflow(Flaky);

  expect(await run.result()).toBe('send 3/3');
});

test('static methods, and methods of classes that are no workflows, are steps [60]', async () => {
  class Audit {
    @Step()
    static async open(topic: string): Promise<string> {
      return `opened ${topic}`;
    }
    @Step()
    async close(topic: string): Promise<string> {
      return `closed ${topic} by ${this.constructor.name}`;
    }
  }
  const audit = new Audit();
  const audited = workflow('class-audited', async () => [await Audit.open('x'), await audit.close('x')]);
  const engine = await db.launchEngine({ workflows: [audited] });

  const run = await engine.startWorkflow(audited);

  expect(await run.result()).toEqual(['opened x', 'closed x by Audit']);
  expect((await engine.runs.steps(run.id)).map(({ name }) => name)).toEqual(['open', 'close']);
});

test('a step method outside of a run is a plain call on its instance [60] [62]', async () => {
  class Counter {
    count = 0;
    @Step({ retry: { maxAttempts: 5 } })
    async add(by: number): Promise<number> {
      this.count += by;
      if (by < 0) throw new RangeError('less than nothing');
      return this.count;
    }
  }
  const counter = new Counter();

  expect(await counter.add(2)).toBe(2);
  await expect(counter.add(-1)).rejects.toThrow(new RangeError('less than nothing'));

  expect(counter.count).toBe(1);
});

test('a method that calls super is a step once for each class that decorates it [60]', async () => {
  class Base {
    @Step({ name: 'base' })
    async work(): Promise<string> {
      return 'base';
    }
  }
  @Workflow('class-derived')
  class Derived extends Base {
    async run(): Promise<string> {
      return this.work();
    }
    @Step({ name: 'derived' })
    override async work(): Promise<string> {
      return `derived, then ${await super.work()}`;
    }
  }
  const engine = await db.launchEngine();
  engine.register(new Derived());

  const run = await engine.startWorkflow(Derived);

  expect(await run.result()).toBe('derived, then base');
  expect((await engine.runs.steps(run.id)).map(({ name }) => name)).toEqual(['derived']);
});

test('a decorated class keeps its name, statics and methods [60]', () => {
  @Workflow('class-intact')
  class Intact {
    static readonly limit = 3;
    async run(): Promise<void> {}
    @Step()
    async charge(_total: number): Promise<void> {}
  }

  const intact = new Intact();

  expect(intact.constructor).toBe(Intact);
  expect([Intact.name, Intact.limit, intact.charge.name, Object.keys(intact)]).toEqual(['Intact', 3, 'charge', []]);
});

test('a run of a class goes on at the instance of the engine that claims it [61]', async () => {
  @Workflow('class-moves')
  class Moves {
    readonly #place: string;
    constructor(place: string) {
      this.#place = place;
    }
    async run(): Promise<string> {
      const began = await runStep('begin', () => this.#place);
      await sleep(300);
      return `${began}, then ${this.#place}`;
    }
  }
  const [first, second] = [db.createEngine(), db.createEngine()];
  await first.register(new Moves('here')).launch();
  const run = await first.startWorkflow(Moves);
  await waitFor(() => first.runs.steps(run.id), { what: 'the first step', until: (steps) => steps.length === 1 });

  await first.close();
  await second.register(new Moves('there')).launch();

  expect(await second.getHandle(run.id, Moves).result()).toBe('here, then there');
});

test('a run whose class no engine has registered waits for one that has [61]', async () => {
  @Workflow('class-late')
  class Late {
    async run(name: string): Promise<string> {
      return `late, ${name}`;
    }
  }
  const engine = await db.launchEngine({ pollInterval: '1h' });
  const run = await engine.startWorkflow(Late, 'Ada');

  const before = await run.status();
  engine.register(new Late());

  expect(before).toBe('queued');
  expect(await run.result()).toBe('late, Ada');
});

test('a class is started by its contract, and from within other runs [60]', async () => {
  @Workflow('class-child')
  class Child {
    async run(name: string): Promise<string> {
      return `child ${name}`;
    }
  }
  const byContract = contract<string, string>('class-child');
  const parent = workflow('class-parent', async () => {
    const called = await byContract('called');
    const id = await startWorkflow(Child, 'started');
    return [called, await engine.getHandle(id, Child).result()];
  });
  const engine = await db.launchEngine({ workflows: [parent] });
  engine.register(new Child());

  const run = await engine.startWorkflow(parent);

  expect(await run.result()).toEqual(['child called', 'child started']);
});

test('a decorator where it has no effect is refused when the class is defined [60]', () => {
  const misplacedStep = (): unknown => {
    class Misplaced {
      // @ts-expect-error a field is no method
      @Step() charge = 1;
    }
    return Misplaced;
  };
  const noRun = (): unknown => {
    // @ts-expect-error there is no run
    @Workflow('class-without-run')
    class NoRun {}
    return NoRun;
  };

  expect(misplacedStep).toThrow(/^DECORATOR_UNSUPPORTED: @Step\(\) cannot be used here: it was not called as a method/);
  expect(noRun).toThrow(/^DECORATOR_UNSUPPORTED: @Workflow\('class-without-run'\) .* class NoRun has no method run/);
});

test('an instance of a class without @Workflow cannot be registered [59]', async () => {
  class Plain {
    async run(): Promise<void> {}
  }
  const engine = db.createEngine();

  expect(() => engine.register(new Plain())).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
});
