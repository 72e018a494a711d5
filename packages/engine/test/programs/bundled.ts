// Is bundled and minified by the test, and then runs workflows of every form: their names must have survived.

import { createEngine, runStep, silentLogger, sleep, Step, step, Workflow, workflow } from '../../src/index.js';
import { engineOptionsVariable } from '../support/child-engine.js';
import type { EngineOptions } from '../../src/index.js';

const double = step('double', (n: number) => 2 * n);

const child = workflow('bundled child', async (n: number) => {
  await sleep(1);
  return double(n);
});

const parent = workflow('bundled parent', async (n: number) => (await child(n)) + (await runStep('one', () => 1)));

@Workflow('bundled greeter')
class Greeter {
  async run(name: string): Promise<string> {
    return this.compose(name);
  }

  @Step({ name: 'compose' })
  async compose(name: string): Promise<string> {
    return `Hello ${name}`;
  }
}

async function main(): Promise<void> {
  const options = JSON.parse(process.env[engineOptionsVariable] ?? '{}') as EngineOptions;
  const engine = createEngine({ ...options, logger: silentLogger, workflows: [child, parent] });
  await engine.register(new Greeter()).launch();
  const runs = [await engine.startWorkflow(parent, 20), await engine.startWorkflow(Greeter, 'you')];
  const results = await Promise.all(runs.map((run) => run.result()));
  const steps = await Promise.all(runs.map((run) => engine.runs.steps(run.id)));
  console.log(JSON.stringify({ type: 'results', results, steps: steps.flat().map(({ name }) => name) }));
  await engine.close();
}

void main();
