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

/** Tell something that went well, with what a person should know of it besides. */
export function tellMore(id: string, message: string, title: string, warnings: readonly string[]): void {
  const whole = [message, ...warnings].join('\n');
  if (whole.length <= SHOWN_CHARACTERS) {
    Notification.update({ id, message: whole, type: 'warning', autoClose: false, actions: [] });
    return;
  }
  const count = warnings.length === 1 ? 'One warning.' : `${warnings.length} warnings.`;
  const callback = () => void showLines(title, warnings);
  const actions = [{ label: 'Details', caption: 'What to know of it', callback }];
  Notification.update({ id, message: `${message} ${count}`, type: 'warning', autoClose: false, actions });
}

async function showFault(fault: IFault): Promise<void> {
  await showLines(fault.what, [fault.why, fault.fix]);
}

async function showLines(title: string, lines: readonly string[]): Promise<void> {
  const body = (
    <div className="mlalm-details">
      {lines.map((line, index) => (
        <p key={index}>{line}</p>
      ))}
    </div>
  );
  await showDialog({ title, body, buttons: [Dialog.okButton({ label: 'Close' })] });
}
