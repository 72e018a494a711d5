/**
 * Kills this process with SIGKILL, as a power failure would, when the engine reaches the named crash point for the `nth`
 * time (default 1). The option `crashAt` of `spawnProcess` calls it in the child; one point is armed at a time.
 */
export declare function armCrashPoint(name: string, nth?: number): void;
