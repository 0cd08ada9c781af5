import { lifecyclePlugin, panelPlugin, runPlugin } from './plugin';
import { predictivePlugin } from './predictive/plugin';
import { snapshotPlugin } from './snapshots/plugin';

export { ILifecycle } from './tokens';

export default [lifecyclePlugin, panelPlugin, runPlugin, predictivePlugin, snapshotPlugin];
