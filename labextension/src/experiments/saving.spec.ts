import { ICell, IDocument, readsTheFile, SAVED, saveBefore } from './saving';

describe('cells that act on the notebook file', () => {
  it.each([
    '%snapshot',
    'x = 1\n  %snapshot -m "before"',
    'run = %run_all -p depth=4',
    '%run_to train',
    '%save_as forest',
    'kept = %register forest bikes --sample rows',
    '%mlalm model register forest bikes',
    'a, b = %mlalm experiment run train.ipynb'
  ])('are known: %s', source => expect(readsTheFile(source)).toBe(true));

  it.each(['1 + 1', '# %snapshot', 'print("%snapshot")', '%snapshots', '%run train.py', '%mlalm model list'])(
    'are no others: %s',
    source => expect(readsTheFile(source)).toBe(false)
  );
});

function cell(source: string, type = 'code'): ICell & { metadata: Record<string, unknown> } {
  const metadata: Record<string, unknown> = {};
  return {
    type,
    metadata,
    sharedModel: { getSource: () => source, transact: change => change() },
    setMetadata: (key, value) => void (metadata[key] = value),
    deleteMetadata: key => void delete metadata[key]
  };
}

describe('saving before such a cell runs', () => {
  it('tells the kernel which save to wait for, and leaves nothing of that in the file', async () => {
    const one = cell('%snapshot');
    const save = jest.fn(async () => expect(one.metadata).toEqual({}));
    const document: IDocument = { localPath: 'a/train.ipynb', contentsModel: { last_modified: 'then' }, save };
    const saved = saveBefore(one, document);
    expect(one.metadata).toEqual({ [SAVED]: { path: 'a/train.ipynb', modified: 'then' } });
    expect(save).not.toHaveBeenCalled();
    await saved;
    expect(save).toHaveBeenCalledTimes(1);
  });

  it('happens for no other cell', async () => {
    const save = jest.fn();
    const document: IDocument = { localPath: 'train.ipynb', contentsModel: null, save };
    await saveBefore(cell('1 + 1'), document);
    await saveBefore(cell('%snapshot', 'markdown'), document);
    expect(save).not.toHaveBeenCalled();
  });

  it('leaves it to the document to tell that it could not be saved', async () => {
    const save = () => Promise.reject(new Error('disk'));
    await saveBefore(cell('%snapshot'), { localPath: 'train.ipynb', contentsModel: null, save });
  });
});
