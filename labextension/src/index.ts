import { lifecyclePlugin, panelPlugin, runPlugin } from './plugin';

export { ILifecycle } from './tokens';

export default [lifecyclePlugin, panelPlugin, runPlugin];
