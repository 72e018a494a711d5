// What a workflow is to the engine, and which ones an executor hosts.

import { PerdureError } from '../values/errors.js';
import type { StandardSchema } from '../values/standard-schema.js';
import type { Hosted } from '../store/queues.js';

/** A workflow as it was defined: a name, a version, and the function to run. */
export interface WorkflowDefinition {
  readonly name: string;
  /** Empty when the workflow has none. */
  readonly version: string;
  /** Undefined for a contract: started here, run elsewhere. */
  readonly run: ((input: unknown) => Promise<unknown>) | undefined;
  readonly inputSchema: StandardSchema | undefined;
  readonly timeoutMs: number | undefined;
  /** The queue that its runs are started in when the start names none. */
  readonly queue?: string | undefined;
}

/** The workflows that one engine knows. The same name and version again replaces, for hot reload. */
export class Registry {
  readonly #definitions = new Map<string, WorkflowDefinition>();
  #hosted: readonly Hosted[] = [];

  register(definition: WorkflowDefinition): void {
    this.#definitions.set(hostKey(definition.name, definition.version), definition);
    this.#hosted = [...this.#definitions.values()]
      .filter((known) => known.run !== undefined)
      .map(({ name, version }) => ({ workflow: name, version }));
  }

  find(name: string, version: string): WorkflowDefinition | undefined {
    return this.#definitions.get(hostKey(name, version));
  }

  /** The definition to start for a bare name; throws WORKFLOW_UNKNOWN. The version registered last wins. */
  require(name: string): WorkflowDefinition {
    const found = [...this.#definitions.values()].filter((definition) => definition.name === name).at(-1);
    if (found === undefined) throw new PerdureError('WORKFLOW_UNKNOWN', { workflow: name, known: this.names });
    return found;
  }

  /** What this process runs under the name and version of `definition`: a contract, a class and replaced code have no own. */
  findHosted({ name, version }: WorkflowDefinition): WorkflowDefinition | undefined {
    const found = this.find(name, version);
    return found?.run === undefined ? undefined : found;
  }

  /** What claims may take. */
  get hosted(): readonly Hosted[] {
    return this.#hosted;
  }

  /** What the executor's row says that it hosts. */
  get hostKeys(): readonly string[] {
    return this.#hosted.map(({ workflow, version }) => hostKey(workflow, version));
  }

  get names(): string[] {
    return [...new Set([...this.#definitions.values()].map(({ name }) => name))];
  }
}

function hostKey(name: string, version: string): string {
  return version === '' ? name : `${name}@${version}`;
}
