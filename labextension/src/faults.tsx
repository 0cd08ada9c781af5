import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';

import { IFault } from './generated/api';

/** JupyterLab cuts longer notifications off, and what to do stands at the end. */
const SHOWN_CHARACTERS = 140;

/** Tell what was refused, why, and what to do; in place of a notification that is there already, where one is named. */
export function tellFault(fault: IFault, id?: string): void {
  const whole = [fault.what, fault.why, fault.fix].filter(Boolean).join('\n');
  const isWhole = whole.length <= SHOWN_CHARACTERS;
  const actions = [{ label: 'Details', caption: 'Why, and what to do', callback: () => void showFault(fault) }];
  const message = isWhole ? whole : fault.what;
  const options = { autoClose: false as const, actions: isWhole ? [] : actions };
  if (id === undefined) {
    Notification.error(message, options);
  } else {
    Notification.update({ id, message, type: 'error', ...options });
  }
}

async function showFault(fault: IFault): Promise<void> {
  const body = (
    <div className="mlalm-details">
      <p>{fault.why}</p>
      <p>{fault.fix}</p>
    </div>
  );
  await showDialog({ title: fault.what, body, buttons: [Dialog.okButton({ label: 'Close' })] });
}
