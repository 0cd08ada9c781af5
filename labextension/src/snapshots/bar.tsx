import { PathExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { lockIcon, ReactWidget } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { isUnderWay, runStatus, statusKind } from '../experiments/status';
import { IFault, IRun } from '../generated/api';
import { IPlace, MlalmError, requestAPI, requestPlace } from '../request';
import { moment } from '../time';
import { shortId } from './drive';

const BUSY_MS = 1000;
const NARROW_PX = 680;

/** What a bar is told of the snapshot below it. */
export interface IShown {
  run: IRun;
  place: IPlace;
}

/** The bar on top of a locked snapshot: which run it is, and the way on from there. */
export class SnapshotBar extends ReactWidget {
  constructor(
    private readonly at: { run: string; notebook: string },
    private readonly actions: { saveAs: (shown: IShown) => void; ended: () => void },
    private readonly settings: ServerConnection.ISettings
  ) {
    super();
    this.addClass('mlalm-bar');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Locked snapshot');
  }

  /** The run, once it is known. */
  get shown(): IShown | null {
    return this._shown;
  }

  saveAs(): void {
    if (this._shown) {
      this.actions.saveAs(this._shown);
    }
  }

  protected render(): JSX.Element {
    return <BarContent run={this._shown?.run ?? null} fault={this._fault} saveAs={() => this.saveAs()} />;
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    void this.look();
  }

  protected onResize(msg: Widget.ResizeMessage): void {
    super.onResize(msg);
    const isNarrow = msg.width >= 0 && msg.width < NARROW_PX;
    if (isNarrow !== this.hasClass('mlalm-bar-narrow')) {
      this.toggleClass('mlalm-bar-narrow', isNarrow);
      this.parent?.fit(); // two lines are higher than one
    }
  }

  protected onBeforeDetach(msg: Message): void {
    window.clearTimeout(this._timer);
    super.onBeforeDetach(msg);
  }

  /** Ask for the run; while it goes on, again and again, because what its cells print is there at its end. */
  private async look(): Promise<void> {
    window.clearTimeout(this._timer);
    const wasUnderWay = isUnderWay(this._shown?.run ?? null);
    try {
      const place = this._shown?.place ?? (await requestPlace(`${this.at.notebook}/inside`, this.settings));
      const run = await requestAPI<IRun>('run/show', { run: this.at.run }, this.settings, place.workspace);
      this._shown = { run, place };
      this._fault = null;
    } catch (error) {
      if (!(error instanceof MlalmError)) {
        throw error;
      }
      this._fault = error.fault;
    }
    if (this.isDisposed) {
      return;
    }
    this.update();
    const isOn = isUnderWay(this._shown?.run ?? null);
    if (wasUnderWay && !isOn) {
      this.actions.ended();
    }
    if (isOn && this.isAttached) {
      this._timer = window.setTimeout(() => void this.look(), BUSY_MS);
    }
  }

  private _shown: IShown | null = null;
  private _fault: IFault | null = null;
  private _timer = 0;
}

interface IProps {
  run: IRun | null;
  fault: IFault | null;
  saveAs: () => void;
}

/** What is in the bar. */
export function BarContent({ run, fault, saveAs }: IProps): JSX.Element {
  if (run === null) {
    return <span className="mlalm-bar-text">{fault ? `${fault.what} ${fault.why}` : 'Asking which run this is…'}</span>;
  }
  const isSubmitted = run.executed === null && run.status !== 'Draft';
  return (
    <>
      <lockIcon.react tag="span" className="mlalm-bar-lock" width="16px" height="16px" />
      <span className="mlalm-bar-text" title={run.id}>
        <strong>Locked</strong> run <code>{shortId(run.id)}</code> of <strong>{PathExt.basename(run.path)}</strong>{' '}
        <span className={`mlalm-status mlalm-status-${statusKind(run)}`}>{runStatus(run)}</span>{' '}
        <time dateTime={run.created_at}>{moment(run.created_at)}</time> by {run.created_by}
        {isSubmitted && ', as it was submitted'}
      </span>
      <button className="mlalm-bar-button" onClick={saveAs} title="Go on from here in a notebook of its own">
        Save As…
      </button>
    </>
  );
}
