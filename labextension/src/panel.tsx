import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import * as React from 'react';

import { IActions } from './actions';
import { ExperimentList } from './experiments/list';
import { IFault } from './generated/api';
import { ServiceList } from './services/list';
import { ILifecycle } from './tokens';

const BUSY_MS = 2000;

/** The side panel: experiments and services of the workspace. It asks for news only while it is seen. */
export class LifecyclePanel extends ReactWidget {
  constructor(
    private readonly lifecycle: ILifecycle,
    private readonly actions: IActions,
    private readonly idleMs: () => number
  ) {
    super();
    this.id = 'mlalm-panel';
    this.addClass('mlalm-panel');
    this.title.caption = 'Experiments and services';
  }

  protected render(): JSX.Element {
    return (
      <UseSignal signal={this.lifecycle.changed}>
        {() => <PanelContent lifecycle={this.lifecycle} actions={this.actions} />}
      </UseSignal>
    );
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    document.addEventListener('visibilitychange', this.onPageVisibility);
    this.onPageVisibility();
  }

  protected onBeforeDetach(msg: Message): void {
    document.removeEventListener('visibilitychange', this.onPageVisibility);
    window.clearTimeout(this.timer);
    super.onBeforeDetach(msg);
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.look();
  }

  protected onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    window.clearTimeout(this.timer);
  }

  private look(): void {
    window.clearTimeout(this.timer);
    void this.lifecycle.refresh().finally(() => {
      window.clearTimeout(this.timer);
      if (this.isSeen) {
        this.timer = window.setTimeout(() => this.look(), this.lifecycle.isBusy ? BUSY_MS : this.idleMs());
      }
    });
  }

  private get isSeen(): boolean {
    return this.isVisible && !this.isDisposed && !document.hidden;
  }

  private readonly onPageVisibility = (): void => {
    window.clearTimeout(this.timer);
    if (this.isSeen) {
      this.look();
    }
  };

  private timer = 0;
}

/** What is in the panel. */
export function PanelContent({ lifecycle, actions }: { lifecycle: ILifecycle; actions: IActions }): JSX.Element {
  const { experiments, services, fault, isLoading } = lifecycle;
  return (
    <div className="mlalm-content">
      <div className="mlalm-head">
        <h2>mlalm</h2>
        <button className="mlalm-refresh" onClick={() => void lifecycle.refresh()}>
          Refresh
        </button>
      </div>
      {fault && <FaultNote fault={fault} />}
      {isLoading ? (
        <p className="mlalm-empty" role="status">
          Asking the server…
        </p>
      ) : (
        !(fault && experiments.length === 0 && services.length === 0) && (
          <>
            <section aria-labelledby="mlalm-experiments">
              <h3 id="mlalm-experiments">Experiments</h3>
              <ExperimentList lifecycle={lifecycle} {...actions} />
            </section>
            <section aria-labelledby="mlalm-services">
              <h3 id="mlalm-services">Services</h3>
              <ServiceList services={services} copy={actions.copy} />
            </section>
          </>
        )
      )}
    </div>
  );
}

function FaultNote({ fault }: { fault: IFault }): JSX.Element {
  return (
    <div className="mlalm-fault" role="alert">
      <strong>{fault.what}</strong> {fault.why}
      {fault.fix && <p>{fault.fix}</p>}
    </div>
  );
}
