// Calls a server through the client that openapi-generator's `typescript-fetch` makes of its description; argument: the
// origin. Prints the method, the path and the status of each request, and fails where an answer is not what its type
// says.

import {
  Configuration, EvaluationApi, EvaluationReason, FilesApi, Flag, FlagState, FlagsApi, HealthStatus,
  ImportFlagsModeEnum, KillSwitchScope, KillSwitchesApi, OFREPApi, OfrepErrorCode, OfrepFailureFromJSON, OfrepReason,
  OperationsApi, Problem, ProblemCode, ProblemFromJSON, ResponseContext, ResponseError, SegmentsApi, TenantOverridesApi,
  instanceOfOfrepSuccess, instanceOfProblem,
} from './client';

declare const process: { argv: string[]; exitCode: number };

const configuration = new Configuration({
  basePath: process.argv[2],
  middleware: [{
    async post({ init, url, response }: ResponseContext) {
      console.log(init.method, url.slice(process.argv[2].length), response.status);
    },
  }],
});

function check(holds: boolean, ...about: unknown[]): asserts holds {
  if (!holds) throw new Error(`not as expected: ${JSON.stringify(about)}`);
}

/** What a call that must fail answers. */
async function refused<Answer>(status: number, read: (json: unknown) => Answer, call: Promise<unknown>) {
  const failure = await call.then(() => undefined, (error) => error);
  check(failure instanceof ResponseError && failure.response.status === status, failure);
  return read(await failure.response.json());
}

async function problem(status: number, call: Promise<unknown>): Promise<Problem> {
  const answer = await refused(status, ProblemFromJSON, call);
  check(instanceOfProblem(answer) && answer.status === status, answer);
  return answer;
}

async function operations() {
  const api = new OperationsApi(configuration);
  const health = await api.getHealth();
  check(health.status === HealthStatus.Ok && health.startedAt instanceof Date && health.checks['ready'] !== '', health);
  check((await api.getLiveness()).status === 'ok' && (await api.getReadiness()).version === health.version);
  check((await api.getMetrics()).includes('flag_server_build_info'));
  check('openapi' in await api.getOpenAPI());
  check((await api.listWork()).work.length === 0);
  check((await problem(404, api.cancelWork({ workId: 'none' }))).code === ProblemCode.WorkNotFound);
}

async function segments() {
  const api = new SegmentsApi(configuration);
  const name = 'night-owls';
  const owls = await api.createSegment({
    newSegment: { name, description: 'Up late', owner: 'web', condition: { '==': [1, 2] } },
  });
  check(owls.version === 1 && owls.keyCount === 0 && owls.createdAt instanceof Date, owls);
  check((await api.replaceSegment({ name, segmentBody: { description: 'Late', owner: 'web' } })).condition == null);
  check((await api.patchSegment({ name, segmentPatch: { owner: 'ada' } })).owner === 'ada');
  check((await api.replaceSegmentKeys({ name, segmentKeys: { keys: ['u1', 'u2'] } })).keyCount === 2);
  await api.editSegmentKeys({ name, segmentKeyEdit: { add: ['u3'], remove: ['u1'] } });
  check((await api.listSegmentKeys({ name })).keys.join() === 'u2,u3');
  check((await api.getSegment({ name })).owner === 'ada');
  check((await api.listSegments()).segments.length === 1);
}

async function flags() {
  const api = new FlagsApi(configuration);
  const flagKey = 'chat';
  const made = await api.createFlagRaw({
    newFlag: {
      flagKey, description: 'Chat with us', owner: 'web', defaultEnabled: false, tags: ['ui'],
      rollout: { percentage: 25 }, expiresAt: new Date('2099-01-02T00:00:00Z'),
    },
  });
  check(made.raw.status === 201 && made.raw.headers.get('Location') === '/api/flags/chat');
  let chat: Flag = await made.value();
  check(chat.version === 1 && chat.rollout?.percentage === 25 && chat.expiresAt?.getUTCFullYear() === 2099, chat);
  const theme = await api.createFlag({
    newFlag: {
      flagKey: 'theme/colours', description: 'Colours', owner: 'web', state: FlagState.Enabled,
      variants: { dark: { ink: '#fff' }, light: { ink: '#000' } }, defaultVariant: 'light',
      targeting: { if: [{ segment: 'night-owls' }, 'dark'] }, requires: [{ flagKey, variant: 'off' }],
    },
  });
  check(theme.state === FlagState.Enabled && theme.requires?.[0].flagKey === flagKey, theme);
  const uses = await new SegmentsApi(configuration).listSegmentUses({ name: 'night-owls' });
  check(uses.flags[0] === 'theme/colours', uses);

  // What was read is edited and put back.
  const ifMatch = made.raw.headers.get('ETag') ?? undefined;
  chat = await api.replaceFlag({ flagKey, ifMatch, flagBody: { ...chat, description: 'Chat' } });
  check(chat.version === 2 && chat.description === 'Chat', chat);
  chat = await api.patchFlag({ flagKey, flagPatch: { rollout: { percentage: 50 }, expiresAt: null } });
  check(chat.rollout?.percentage === 50 && chat.expiresAt == null && chat.description === 'Chat', chat);
  check((await api.getFlag({ flagKey })).version === 3);
  const page = await api.listFlags({ limit: 1, owner: 'web' });
  check(page.flags.length === 1 && page.nextCursor !== null && page.invalid === undefined, page);
  check((await api.listDependents({ flagKey })).dependents[0].variant === 'off');
  check((await api.getFlagHistory({ flagKey })).history.every((entry) => entry.at instanceof Date));
}

async function overrides() {
  const api = new TenantOverridesApi(configuration);
  const of = { tenantId: 'acme', flagKey: 'chat' };
  const made = await api.putOverride({ ...of, tenantOverrideBody: { updatedBy: 'ada', enabled: true } });
  check(made.enabled === true && made.environment === 'development', made);
  check((await api.getOverride(of)).updatedAt.getTime() === made.updatedAt.getTime());
  check((await api.listOverridesOfFlag(of)).overrides[0].tenantId === 'acme');
  check((await api.listOverridesOfTenant(of)).overrides[0].flagKey === 'chat');
}

async function evaluation() {
  const ofrep = new OFREPApi(configuration);
  const ofrepRequest = { context: { targetingKey: 'u2', plan: 'pro' } };
  const theme = await ofrep.evaluateFlag({ key: 'theme/colours', ofrepRequest });
  check(theme.reason === OfrepReason.TargetingMatch && theme.variant === 'dark' && theme.value.ink === '#fff', theme);
  const bulk = await ofrep.evaluateFlagsBulk({ ofrepRequest });
  check(bulk.flags.length === 2 && bulk.flags.every((flag) => instanceOfOfrepSuccess(flag)), bulk);

  const api = new EvaluationApi(configuration);
  const chat = await api.evaluate({ evaluationRequest: { tenantId: 'acme', flagKey: 'chat', userId: 'u1' } });
  check(chat.enabled && chat.reason === EvaluationReason.TenantOverride && chat.evaluatedAt instanceof Date, chat);
  const batch = await api.evaluateBatch({
    batchEvaluationRequest: { tenantId: 'acme', flagKeys: ['chat', 'nothing'] },
  });
  check(batch.flags[1].reason === EvaluationReason.FlagNotFound, batch);
  const why = await api.explain({ explanationRequest: { flagKey: 'theme/colours', ...ofrepRequest } });
  check(why.variant === 'dark' && why.tenantId === null && why.trace.some((step) => step.decides), why);
}

async function killSwitches() {
  const api = new KillSwitchesApi(configuration);
  const on = await api.activateKillSwitch({
    killSwitchActivation: { flagKey: 'chat', reason: 'too loud', activatedBy: 'ada' },
  });
  check(on.enabled && on.activatedAt instanceof Date, on);
  check((await api.listKillSwitches()).killSwitches[0].flagKey === 'chat');
  const dead = await new OFREPApi(configuration).evaluateFlag({ key: 'chat', ofrepRequest: {} });
  check(dead.value === false && dead.metadata.killSwitch === KillSwitchScope.Flag, dead);
  const killSwitchDeactivation = { flagKey: 'chat', deactivatedBy: 'ada' };
  await api.deactivateKillSwitch({ killSwitchDeactivation });
  const gone = await problem(404, api.deleteKillSwitch({ killSwitchDeactivation }));
  check(gone.code === ProblemCode.KillSwitchNotFound, gone);
}

async function files() {
  const api = new FilesApi(configuration);
  const flagFile = await api.exportFlags();
  check(flagFile.flags.length === 2, flagFile);
  const report = await api.importFlags({ flagFile, dryRun: true, mode: ImportFlagsModeEnum.Replace });
  check(report.dryRun && report.lines[0] === 'segments: 0 created, 0 changed, 0 removed, 1 unchanged', report);
}

async function refusals() {
  const api = new FlagsApi(configuration);
  check((await problem(404, api.getFlag({ flagKey: 'nothing' }))).code === ProblemCode.FlagNotFound);
  const again = { flagKey: 'chat', description: 'Again', owner: 'web', defaultEnabled: true };
  check((await problem(409, api.createFlag({ newFlag: again }))).code === ProblemCode.FlagExists);
  const nameless = { flagKey: 'no-rule', description: '', owner: 'web' };
  const invalid = await problem(400, api.createFlag({ newFlag: nameless }));
  check(invalid.errors?.some((issue) => issue.pointer === '/description') === true, invalid);
  const stale = await problem(412, api.deleteFlag({ flagKey: 'chat', ifMatch: '"0"' }));
  check(stale.code === ProblemCode.VersionMismatch, stale);
  const asked = new OFREPApi(configuration).evaluateFlag({ key: 'nothing', ofrepRequest: {} });
  const unknown = await refused(404, OfrepFailureFromJSON, asked);
  check(unknown.errorCode === OfrepErrorCode.FlagNotFound && unknown.key === 'nothing', unknown);
}

async function ending() {
  await new TenantOverridesApi(configuration).deleteOverride({ tenantId: 'acme', flagKey: 'chat' });
  for (const flagKey of ['theme/colours', 'chat']) await new FlagsApi(configuration).deleteFlag({ flagKey });
  await new SegmentsApi(configuration).deleteSegment({ name: 'night-owls' });
}

async function main() {
  const scenes = [operations, segments, flags, overrides, evaluation, killSwitches, files, refusals, ending];
  for (const scene of scenes) await scene();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
