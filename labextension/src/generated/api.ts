// Made by `python -m mlalm_jupyter.surfaces.lab.typescript`; change the verbs or the schema instead.

/** What happened, why, and what to do; the code stays the same over versions. */
export interface IFault {
  code: string;
  what: string;
  why: string;
  fix: string;
}

/** One run of an experiment and the snapshot it executed. */
export interface IRun {
  id: string;
  experiment_id: string;
  path: string;
  status: 
    | 'Draft'
    | 'Queued'
    | 'Running'
    | 'Finished'
    | 'Finished (Partial run)'
    | 'Failed'
    | 'Failed (Partial run)'
    | 'Canceled';
  parameters: Record<string, unknown>;
  snapshot: string;
  environment: Record<string, unknown>;
  executed_in: Record<string, unknown>;
  git: Record<string, unknown>;
  origin: string;
  created_at: string;
  created_by: string;
  started_at: string | null;
  ended_at: string | null;
  cause: string | null;
  failed_cell: number | null;
  cells_done: number;
  cells_total: number;
  cell_current: number | null;
  executed: string | null;
  inputs: string[];
  models: string[];
  job_id: string | null;
  tags: Record<string, unknown>;
  assets: IPin[];
  files: Record<string, unknown>;
  until: string | null;
  message: string;
  cells_executed: number[];
  note: string;
  metrics: Record<string, unknown>;
  figures: IFigure[];
  is_editable: boolean;
}

/** What a reference in a notebook stood for when its snapshot was taken. */
export interface IPin {
  kind: string;
  name: string;
  version: number;
  id: string;
  digest: string;
  wanted: string;
}

/** A picture that a run left. */
export interface IFigure {
  name: string;
  digest: string;
  media_type: string;
}

/** An experiment whose notebook was written, and the assets that moved in it. */
export interface ISavedAs {
  experiment: IExperiment;
  swaps: Record<string, unknown>[];
  note: string;
}

/** Something fitted as a predictive notebook has it: a version of an asset, or a value as text. */
export interface IFittedAsset {
  name: string;
  kind: string;
  reference: string;
}

/** A cell of a training notebook, and what became of it in the predictive one. */
export interface ISourceCell {
  number: number;
  title: string;
  role: string | null;
  by_hand: string[];
  stays: 
    | 'all'
    | 'part'
    | 'none';
  fitted: string[];
}

/** How much was compared before a predictive notebook was written. */
export interface IProven {
  rows: number;
  perturbed_rows: number;
  single_rows: number;
}

/** A notebook that is ready to be run and deployed. */
export interface ISetUp {
  experiment: IExperiment;
  source: string;
  run_id: string | null;
  is_new: boolean;
  inputs: string[];
  outputs: string[];
  assets: IFittedAsset[];
  kept: number[];
  left_out: number[];
  cells: ISourceCell[];
  not_needed: string[];
  proven: IProven | null;
  by_hand: string[];
  held_back: string[];
  warnings: string[];
  note: string;
}

/** Runs side by side: of each name the value in every run, in their order. */
export interface IComparison {
  runs: IRun[];
  parameters: Record<string, unknown>;
  metrics: Record<string, unknown>;
  differences: Record<string, unknown>;
}

/** A notebook of the workspace and its last run. */
export interface IExperiment {
  id: string;
  path: string;
  name: string;
  kind: string;
  created_at: string;
  run_count: number;
  last_run: IRun | null;
  parent: string | null;
  parent_id: string | null;
  parent_run_id: string | null;
}

/** What a trigger did about one due time. */
export interface IFiring {
  due_at: string;
  fired_at: string;
  outcome: 
    | 'started'
    | 'skipped'
    | 'failed';
  reason: string;
  run_id: string | null;
  missed: number;
}

/** A timetable by which an experiment runs; the next times are in its own time zone. */
export interface ITrigger {
  id: string;
  name: string;
  kind: string;
  path: string;
  cron: string;
  timezone: string;
  missed: 
    | 'once'
    | 'skip';
  follows_draft: boolean;
  snapshot_run_id: string | null;
  snapshot: string | null;
  draft: 
    | 'same'
    | 'differs'
    | 'gone'
    | 'unreadable' | null;
  parameters: Record<string, unknown>;
  until: string | null;
  is_paused: boolean;
  due_at: string | null;
  next_times: string[];
  created_at: string;
  created_by: string;
  last: IFiring | null;
  firings: IFiring[];
  note: string | null;
}

/** Where a dataset lies that is kept by reference; what its address keeps secret is left out. */
export interface ISource {
  address: string;
  etag: string | null;
  modified: string | null;
}

/** One version of a dataset. */
export interface IDataset {
  id: string;
  name: string;
  version: number;
  reference: string;
  format: string;
  digest: string;
  size_bytes: number;
  row_count: number;
  schema: Record<string, unknown>;
  created_at: string;
  created_by: string;
  equal_to: number | null;
  tags: Record<string, unknown>;
  description: string;
  source: ISource | null;
  run_id: string | null;
  note: string | null;
}

/** Rows of a table as plain values. */
export interface IRows {
  columns: string[];
  rows: ((string | number | boolean | null)[])[];
}

/** How many values lie in each of several ranges of one width. */
export interface IHistogram {
  low: number | string;
  high: number | string;
  counts: number[];
}

/** What one column of a dataset holds; the commonest values come with how often each is there. */
export interface IColumnProfile {
  name: string;
  kind: 
    | 'number'
    | 'time'
    | 'flag'
    | 'text';
  count: number;
  missing: number;
  distinct: number;
  low: number | string | null;
  high: number | string | null;
  mean: number | null;
  quantiles: number[];
  histogram: IHistogram | null;
  top: ((string | number)[])[];
}

/** One file in an archive. */
export interface IMember {
  name: string;
  size_bytes: number;
}

/** What a dataset holds: columns, or the files of an archive; the note says why it is no table. */
export interface IProfile {
  columns: IColumnProfile[];
  members: IMember[];
  member_count: number;
  note: string;
}

/** A dataset, its first rows, and what its values are like. */
export interface IPreview {
  dataset: IDataset;
  head: IRows;
  profile: IProfile | null;
  note: string;
}

/** One version of a fitted preprocessing step. */
export interface ITransform {
  id: string;
  name: string;
  version: number;
  reference: string;
  transform_hash: string;
  bundle_digest: string;
  size_bytes: number;
  format: string;
  framework: string;
  is_data_only: boolean;
  signature: Record<string, unknown>;
  lineage: Record<string, unknown>;
  created_at: string;
  created_by: string;
  tags: Record<string, unknown>;
  description: string;
  equal_to: number | null;
  note: string | null;
}

/** A named reference to a definition, with its own address and keys. */
export interface IEndpoint {
  id: string;
  service_id: string;
  service: string;
  name: string;
  reference: string;
  definition_hash: string;
  model: string | null;
  model_hash: string | null;
  revision: number;
  address: string | null;
  created_at: string;
  updated_at: string;
  description: string;
  throttle_level: string | null;
  max_concurrent_calls: number | null;
  prevent_update: boolean;
  diagnostics: string;
  note: string | null;
}

/** A named thing you call, with its endpoints; a New service has none and serves one thing itself. */
export interface IWebService {
  id: string;
  name: string;
  kind: 
    | 'classic'
    | 'new';
  state: string;
  source: string;
  description: string;
  created_at: string;
  created_by: string;
  region: string | null;
  plan: string | null;
  resource_id: string | null;
  address: string | null;
  definition_hash: string;
  model: string | null;
  model_hash: string | null;
  revision: number;
  updated_at: string;
  endpoints: IEndpoint[];
  note: string | null;
}

/** Make a folder a workspace; one that is a workspace already stays as it is. */
export interface IWorkspaceInitRequest {
  /** the folder; it is made if it does not exist */
  path?: string;
}

/** Show the workspace and how much it holds. */
export interface IWorkspaceShowRequest {}

/** Check every hash, reference and process, and say what is wrong. */
export interface IWorkspaceDoctorRequest {}

/** Remove the bytes that nothing refers to any more, and nothing else; runs may go on meanwhile. */
export interface IWorkspaceGcRequest {
  /** leave alone what was put within so many hours */
  grace_h?: number;
}

/** Keep a file as the next version of a dataset; one whose content is not of its kind is refused. */
export interface IDatasetUploadRequest {
  /** a table, zip, text or RData file */
  file: string;
  /** the dataset's name; a name that exists gets its next version */
  name: string;
  /** csv, tsv, arff, parquet, zip, text or rdata; seen from the file's ending if not said */
  format?: string;
  /** take the first line of a csv or tsv for names */
  header?: boolean;
  /** keep the address (http, https or a path) and no copy; loading checks the hash */
  by_reference?: boolean;
  /** words to find it by */
  tags?: Record<string, unknown>;
  /** one sentence about it */
  description?: string;
  /** give the version that has the same bytes, if there is one */
  if_changed?: boolean;
}

/** Give a dataset that exists its next version; what uses older ones stays with those. */
export interface IDatasetUpdateRequest {
  /** a dataset that exists */
  name: string;
  /** the new file; one that is kept by reference is looked at again without */
  file?: string;
  /** as for upload; as the version before if not said */
  format?: string;
  /** take the first line of a csv or tsv for names */
  header?: boolean;
  /** keep the address and no copy */
  by_reference?: boolean;
  /** words to find it by */
  tags?: Record<string, unknown>;
  /** one sentence about it; as before if not said */
  description?: string;
}

/** List the newest version of each dataset, or every version of one. */
export interface IDatasetListRequest {
  /** all versions of this name */
  name?: string;
}

/** Show a dataset: its first rows, and what the values of each column are like. */
export interface IDatasetShowRequest {
  /** NAME or NAME:VERSION */
  dataset: string;
  /** how many rows to show */
  rows?: number;
}

/** Follow a version to the transforms and models that were made of it, and on to what answers with those. */
export interface IDatasetLineageRequest {
  /** NAME or NAME:VERSION */
  dataset: string;
}

/** Write a dataset's bytes, exactly as they were uploaded, to a new file. */
export interface IDatasetDownloadRequest {
  /** NAME or NAME:VERSION */
  dataset: string;
  /** where to write it; it must not exist yet */
  file: string;
}

/** Delete one version that no snapshot, no model and no predictive notebook refers to; its number is not given again. */
export interface IDatasetDeleteRequest {
  /** NAME:VERSION */
  dataset: string;
  /** delete without asking */
  yes?: boolean;
}

/** Keep a fitted preprocessing step as the next version of a name. */
export interface ITransformRegisterRequest {
  /** a fitted object with `transform`, or an .ilearner file */
  transform: unknown;
  /** the transform's name; a name that exists gets its next version */
  name: string;
  /** rows as it takes them: a frame, a dataset or a table file */
  sample?: unknown;
  /** words to find it by */
  tags?: Record<string, unknown>;
  /** one sentence about it */
  description?: string;
  /** give the version that has the same bytes, if there is one */
  if_changed?: boolean;
}

/** List the newest version of each transform, or every version of one. */
export interface ITransformListRequest {
  /** all versions of this name */
  name?: string;
}

/** Show one version of a transform: what it takes and gives, and where it came from. */
export interface ITransformShowRequest {
  /** NAME or NAME:VERSION */
  transform: string;
}

/** Follow a version back to its data, and on to the models that were made with it and what answers with those. */
export interface ITransformLineageRequest {
  /** NAME or NAME:VERSION */
  transform: string;
}

/** Delete one version that no snapshot, no model and no predictive notebook refers to; its number is not given again. */
export interface ITransformDeleteRequest {
  /** NAME:VERSION */
  transform: string;
  /** delete without asking */
  yes?: boolean;
}

/** List the notebooks that have been run here, with their last run. */
export interface IExperimentListRequest {}

/** Show one experiment. */
export interface IExperimentShowRequest {
  /** the notebook's path */
  notebook: string;
}

/** Keep a notebook as it is, without running it. */
export interface IExperimentSnapshotRequest {
  /** the notebook to keep as it is */
  notebook: string;
  /** why, in a few words */
  message?: string;
  /** words to find it by */
  tags?: Record<string, unknown>;
  /** begin an experiment of its own, though it looks like a moved one */
  anew?: boolean;
}

/** Take a snapshot of a notebook and have the scheduler execute exactly that. */
export interface IExperimentRunRequest {
  /** the notebook to run */
  notebook: string;
  /** values for its parameters cell */
  parameters?: Record<string, unknown>;
  /** the tag of the last cell to run */
  to?: string;
  /** why, in a few words */
  message?: string;
  /** words to find it by */
  tags?: Record<string, unknown>;
  /** begin an experiment of its own, though it looks like a moved one */
  anew?: boolean;
  /** wait for its end */
  wait?: boolean;
  /** how long to wait */
  timeout_s?: number;
}

/** List the runs of an experiment: the editable draft first, then the locked ones, newest first. */
export interface IExperimentHistoryRequest {
  /** the notebook's path */
  notebook: string;
  /** how many runs to list */
  limit?: number;
  /** only those of this status, such as Failed */
  status?: string;
  /** only those with such metrics, parameters or tags: 'auc>=0.8, kind=forest' */
  where?: string;
  /** only those since then, such as 2026-11-01; UTC without a zone */
  since?: string;
  /** time, status, or the name of a metric, parameter or tag; -NAME turns it round */
  sort?: string;
}

/** Delete an experiment with all its snapshots; the notebook itself, models and services stay. */
export interface IExperimentDeleteRequest {
  /** the notebook's path */
  notebook: string;
  /** delete without asking */
  yes?: boolean;
}

/** Save a notebook, or a locked snapshot of one, as a new experiment with an empty history. */
export interface IExperimentSaveAsRequest {
  /** a notebook, or run:ID for one of its snapshots */
  source: string;
  /** the new notebook, which must not exist yet */
  name: string;
  /** leave assets at the versions they have */
  keep_versions?: boolean;
}

/** Put another version of a dataset, transform or model into a notebook; nothing else in it changes. */
export interface IExperimentUpdateAssetRequest {
  /** the notebook in which to swap it */
  notebook: string;
  /** NAME for its newest version, or NAME:VERSION */
  asset: string;
  /** dataset, transform or model, when names could be several */
  kind?: string;
}

/** Write an experiment as text meant for git: cells and references, never outputs or the bytes of assets. */
export interface IExperimentExportRequest {
  /** a notebook, or run:ID for one of its snapshots */
  source: string;
  /** where to write the text; it must not exist yet */
  file: string;
}

/** Make an experiment from its text, or write over the one it came from. */
export interface IExperimentImportRequest {
  /** the text of an exported experiment */
  file: string;
  /** the new notebook; without it the name in the text */
  name?: string;
  /** write over the notebook it was exported from */
  overwrite?: boolean;
}

/** Copy an experiment to another workspace, with every dataset, transform and model it refers to. */
export interface IExperimentCopyRequest {
  /** a notebook, or run:ID for one of its snapshots */
  source: string;
  /** the folder of the other workspace */
  to: string;
  /** its name there; without it the one it has here */
  name?: string;
}

/** Have an experiment with its history follow a notebook that was moved or renamed. */
export interface IExperimentMoveRequest {
  /** where it was; no file is there any more */
  notebook: string;
  /** where it is now */
  to: string;
}

/** Open a snapshot, locked: read it, and save it as an experiment of your own to go on from there. */
export interface IExperimentOpenRequest {
  /** a run's id, or its beginning */
  run: string;
  /** as it was submitted, without what it printed */
  source?: boolean;
  /** write it there, as .html, .ipynb or .txt, instead */
  file?: string;
}

/** Draw a notebook as a graph: cells by their roles, the values that flow between them, their assets. */
export interface IExperimentGraphRequest {
  /** a notebook, or run:ID for one of its snapshots */
  source: string;
}

/** Show what differs between two notebooks in what they say; what they printed does not count. */
export interface IExperimentDiffRequest {
  /** a notebook, or run:ID for one of its snapshots */
  before: string;
  /** another, or another state of the same */
  after: string;
}

/** Show one run: its snapshot, how far it came, what it used and left. */
export interface IRunShowRequest {
  /** a run's id, or its beginning */
  run: string;
}

/** Stop a run, with everything it started. */
export interface IRunCancelRequest {
  /** a run's id, or its beginning */
  run: string;
}

/** Put runs side by side: what they were given, what was measured, what differs. */
export interface IRunCompareRequest {
  /** the beginnings of two or more run ids, with commas between */
  runs: string;
}

/** List the values that the cells of a run left. */
export interface IRunOutputsRequest {
  /** a run's id, or its beginning */
  run: string;
}

/** Write a value that a cell of a past run left to a file; nothing is run again. */
export interface IRunDownloadOutputRequest {
  /** a run's id, or its beginning */
  run: string;
  /** NAME for its last value, or CELL.NAME */
  output: string;
  /** where to write it; it must not exist yet */
  file: string;
}

/** Run a snapshot again as it was: the same cells, parameters and versions of assets. */
export interface IRunReplayRequest {
  /** a run's id, or its beginning */
  run: string;
  /** wait for its end */
  wait?: boolean;
  /** how long to wait */
  timeout_s?: number;
}

/** Put an experiment into a gallery, with every dataset, transform and model it refers to. */
export interface IGalleryPublishRequest {
  /** a notebook, or run:ID for one of its snapshots */
  source: string;
  /** the folder; a working tree of git is one */
  gallery: string;
  /** its name there; without it the notebook's */
  name?: string;
  /** one sentence about it */
  description?: string;
}

/** List the experiments of a gallery. */
export interface IGalleryListRequest {
  /** its folder, or the address of a git repository */
  gallery: string;
}

/** Take an experiment out of a gallery, with all it refers to; nothing of it is run. */
export interface IGalleryCloneRequest {
  /** the experiment's name in the gallery */
  package: string;
  /** its folder, or the address of a git repository */
  gallery: string;
  /** the new notebook; without it the name in the gallery */
  name?: string;
}

/** Keep a model as the next version of a name; nothing that serves changes by it. */
export interface IModelRegisterRequest {
  /** a fitted object of this notebook, an .ilearner file, or a model file or MLflow folder of another tool */
  model: unknown;
  /** the model's name; a name that exists gets its next version */
  name: string;
  /** rows as the model takes them: a frame, a dataset or a table file */
  sample?: unknown;
  /** words to find it by */
  tags?: Record<string, unknown>;
  /** what is said once and stays */
  properties?: Record<string, unknown>;
  /** what was measured; a run's own come by themselves */
  metrics?: Record<string, unknown>;
  /** one sentence about it */
  description?: string;
  /** give the version that has the same bytes, if there is one */
  if_changed?: boolean;
}

/** Make a value that a cell of a run left a model of the workspace; nothing is run again. */
export interface IModelPromoteRequest {
  /** a run's id, or its beginning */
  run: string;
  /** NAME for its last value, or CELL.NAME */
  output: string;
  /** the model's name */
  name: string;
  /** rows as the model takes them: an output of that run, a dataset or a table file */
  sample?: string;
  /** make the next version of a name that exists */
  update?: boolean;
  /** words to find it by */
  tags?: Record<string, unknown>;
  /** one sentence about it */
  description?: string;
}

/** List the newest version of each model; or, with a name or conditions, every version that meets them. */
export interface IModelListRequest {
  /** all versions of this name */
  name?: string;
  /** versions with such tags, properties, metrics or parameters, or of such a framework, run, experiment, dataset...: 'stage=prod, auc>=0.8, dataset=census:3, created>=2026-11-01' */
  where?: string;
  /** created, name, size, or a metric's name; -NAME turns it round (-created if not said) */
  sort?: string;
  /** how many to list */
  limit?: number;
  /** which part of them, from 1 */
  page?: number;
}

/** Show one version of a model: what it takes and gives, and where it came from. */
export interface IModelShowRequest {
  /** NAME, NAME:VERSION or NAME@ALIAS */
  model: string;
}

/** Write a model's package to a new file, or hand it on in another form. */
export interface IModelDownloadRequest {
  /** NAME, NAME:VERSION or NAME@ALIAS */
  model: string;
  /** the file or folder to write; it must not exist yet */
  file: string;
  /** package: the .ilearner as it is kept; sealed: with this workspace's signature in it, for others to check; mlflow: a model folder as MLflow reads it */
  form?: string;
}

/** Delete one version of a model that nothing uses; its number is not given again. */
export interface IModelDeleteRequest {
  /** NAME:VERSION */
  model: string;
  /** delete without asking */
  yes?: boolean;
}

/** Show the rows that were kept with a version, and what it said of them; or write those rows to a new table file. */
export interface IModelSampleRequest {
  /** NAME, NAME:VERSION or NAME@ALIAS */
  model: string;
  /** a csv, tsv or parquet file to write the rows to; it must not exist yet */
  file?: string;
}

/** Say more of a version: set and remove tags, add properties, describe it; who said what stays on record. */
export interface IModelTagRequest {
  /** NAME, NAME:VERSION or NAME@ALIAS */
  model: string;
  /** tags to set */
  tags?: Record<string, unknown>;
  /** tags to remove, with commas between */
  remove?: string;
  /** what is said once and stays */
  properties?: Record<string, unknown>;
  /** one sentence about it, in place of the one there is */
  description?: string;
}

/** Have a word stand for a version, as in `churn@champion`; it moves at once for all who say it. */
export interface IModelAliasRequest {
  /** NAME:VERSION, or NAME with --remove */
  model: string;
  /** the word that is to stand for it, such as champion */
  alias: string;
  /** have the word stand for nothing any more */
  remove?: boolean;
  /** move it only if its revision is still this one */
  expected?: number;
  /** remove without asking */
  yes?: boolean;
}

/** List the aliases and the versions they stand for. */
export interface IModelAliasesRequest {
  /** those of this model */
  name?: string;
}

/** What was done with a version, or where an alias stood: who, when and what, oldest first. */
export interface IModelHistoryRequest {
  /** NAME, NAME:VERSION, or NAME@ALIAS for where it stood */
  model: string;
  /** how many of the newest to list */
  limit?: number;
}

/** Follow a version back to its data and on to the endpoints that answer with it, as a picture and a table. */
export interface IModelLineageRequest {
  /** NAME, NAME:VERSION or NAME@ALIAS */
  model: string;
}

/** List who depends on a version: those that keep it from being deleted, and those that would lose a way back. */
export interface IModelDependentsRequest {
  /** NAME, NAME:VERSION or NAME@ALIAS */
  model: string;
}

/** Put versions side by side: metrics, parameters, columns, size. */
export interface IModelCompareRequest {
  /** two or more versions, with commas between: churn:1,churn:2 */
  models: string;
}

/** Sign a version with this workspace's key, which says that somebody here vouches for it. */
export interface IModelSignRequest {
  /** NAME, NAME:VERSION or NAME@ALIAS */
  model: string;
}

/** Check a version's bytes and signature, or those of a file, and tell what opening it would run. */
export interface IModelVerifyRequest {
  /** NAME, NAME:VERSION or NAME@ALIAS, or any model file or MLflow folder */
  model: string;
  /** the public key whose seal it must carry, if not this workspace's */
  key?: string;
}

/** Opt for a rule: only signed models serve, or an endpoint follows an alias or the newest version. */
export interface IPolicyAddRequest {
  /** what the policy is called */
  name: string;
  /** signed-models, or follow */
  rule: string;
  /** for follow: SERVICE/ENDPOINT, any but the default */
  endpoint?: string;
  /** for follow: NAME@ALIAS, or NAME for its newest version */
  model?: string;
}

/** List the rules that somebody opted for, and what each did last. */
export interface IPolicyListRequest {}

/** Show one policy and what it did last. */
export interface IPolicyShowRequest {
  /** the policy's name */
  policy: string;
}

/** End a policy; what it did stays as it is. */
export interface IPolicyDeleteRequest {
  /** the policy's name */
  policy: string;
  /** delete without asking */
  yes?: boolean;
}

/** List what may run here: what was made here, and what an owner trusted. */
export interface ITrustListRequest {}

/** Sign a definition, model, transform, kept value or file from elsewhere, so that it may run here. */
export interface ITrustAddRequest {
  /** the hash a refusal named, or a class by its whole name */
  digest: string;
  /** what has that hash, where nothing here has it: definition, model, or file of another tool */
  kind?: string;
}

/** Take trust back; what serves already goes on until it is moved or restarted. */
export interface ITrustRemoveRequest {
  /** a hash or type of `trust list` */
  digest: string;
  /** take it back without asking */
  yes?: boolean;
}

/** Make a web service with its default endpoint, or move that one with --update. */
export interface IServiceDeployRequest {
  /** a model NAME:VERSION or NAME@ALIAS, a notebook that ran, a function, FILE.py[:FUNCTION], or a WSD file */
  what: unknown;
  /** the service's name */
  service: string;
  /** move the default endpoint of a service that exists */
  update?: boolean;
  /** rows as a function or script takes them: a frame, a dataset or a table file */
  sample?: unknown;
  /** with a script: the model that its init(model) gets */
  model?: string;
  /** what it is for, in a sentence or two */
  description?: string;
  /** with --update: stop the service, move its default endpoint, start it again */
  stop_start?: boolean;
  /** classic: belongs to this workspace and may have endpoints; new: what a plan or a region asks for */
  kind?: string;
  /** of a New service: how much it may take */
  plan?: string;
  /** of a New service: where it lives, with a copy of all it needs */
  region?: string;
}

/** List the web services of this workspace with their endpoints, then the New services of all regions. */
export interface IServiceListRequest {}

/** Show one web service, and its endpoints where it has some. */
export interface IServiceShowRequest {
  /** the service's name */
  service: string;
}

/** Find the endpoints that serve a model now, whatever they served before. */
export interface IServiceFindRequest {
  /** NAME for any version, NAME:VERSION or NAME@ALIAS */
  model: string;
}

/** Send rows to an endpoint over HTTP, as any client would, and take the answer. */
export interface IServiceScoreRequest {
  /** SERVICE or SERVICE/ENDPOINT */
  service: string;
  /** rows to score: a frame, a dataset, or a .json, .csv, .tsv or .parquet file */
  rows: unknown;
}

/** Write client code for an endpoint that runs as it is; it looks the key up and holds none. */
export interface IServiceConsumeRequest {
  /** SERVICE or SERVICE/ENDPOINT */
  service: string;
  /** curl or python */
  lang?: string;
}

/** Have a stopped service answer again, with the addresses, keys and models it had. */
export interface IServiceStartRequest {
  /** the service's name */
  service: string;
}

/** Have a service refuse all calls until it is started; data, keys and addresses are kept. */
export interface IServiceStopRequest {
  /** the service's name */
  service: string;
}

/** Delete a service with all its endpoints; models, definitions and what was noted of it stay. */
export interface IServiceDeleteRequest {
  /** the service's name */
  service: string;
  /** delete without asking */
  yes?: boolean;
}

/** Show the two keys that open a service's default endpoint, or one of them. */
export interface IServiceKeysRequest {
  /** the service's name */
  service: string;
  /** primary or secondary: that key alone, for a script */
  only?: string;
}

/** Make one of the two keys of a service's default endpoint anew; the other one works all the while. */
export interface IServiceRegenerateKeyRequest {
  /** the service's name */
  service: string;
  /** primary or secondary */
  which: string;
}

/** Write the notebook that a service is made of, beside the one it comes from. */
export interface IServiceSetupRequest {
  /** predictive: what scores is cut out; ports: where no model is trained, marks are put in */
  kind: string;
  /** the notebook */
  notebook: string;
  /** of several trained models, the variable of the one that answers */
  model?: string;
  /** seconds that each run of it may take; without, no limit for the notebook and 600 for the part that scores */
  timeout_s?: number;
}

/** Add an endpoint that serves what the default endpoint serves now, with its own address and keys. */
export interface IEndpointAddRequest {
  /** SERVICE/ENDPOINT */
  endpoint: string;
  /** make so many, called ENDPOINT1, ENDPOINT2 and so on */
  count?: number;
  /** what it is for, in a sentence or two */
  description?: string;
  /** Low: 4 calls at once; High: as many as --concurrency says; none: no level and no limit */
  throttle?: string;
  /** how many calls it answers at once, 1 to 200; without it there is no limit */
  concurrency?: number;
  /** refuse to patch and to refresh it */
  prevent_update?: boolean;
}

/** Bring the graph of the default endpoint to another one, which keeps its own models. */
export interface IEndpointRefreshRequest {
  /** SERVICE/ENDPOINT, any but the default */
  endpoint: string;
  /** take the models of the default endpoint as well */
  overwrite_models?: boolean;
}

/** Delete an endpoint, its address and its keys; models, definitions and what was noted of it stay. */
export interface IEndpointDeleteRequest {
  /** SERVICE/ENDPOINT, any but the default */
  endpoint: string;
  /** delete without asking */
  yes?: boolean;
}

/** List endpoints: what each serves, and its address. */
export interface IEndpointListRequest {
  /** only this service's */
  service?: string;
}

/** Show one endpoint. */
export interface IEndpointShowRequest {
  /** SERVICE/ENDPOINT */
  endpoint: string;
}

/** Put another trained model behind a non-default endpoint while it answers, or set it otherwise. */
export interface IEndpointPatchRequest {
  /** SERVICE/ENDPOINT; with --model any but the default */
  endpoint: string;
  /** the model to put behind it: NAME:VERSION, NAME@ALIAS or an .ilearner file */
  model?: string;
  /** what it is for, in a sentence or two */
  description?: string;
  /** Low: 4 calls at once; High: as many as --concurrency says; none: no level and no limit */
  throttle?: string;
  /** how many calls it answers at once, 1 to 200; without it there is no limit */
  concurrency?: number;
  /** refuse to patch and to refresh it from now on */
  prevent_update?: boolean;
  /** let it be patched and refreshed again */
  allow_update?: boolean;
}

/** Serve an earlier definition again; every step stays in the history. */
export interface IEndpointRollbackRequest {
  /** SERVICE/ENDPOINT, or a New service */
  endpoint: string;
  /** a revision of its history; without it, one step back */
  to?: number;
}

/** What an endpoint served and when, oldest first. */
export interface IEndpointHistoryRequest {
  /** SERVICE/ENDPOINT, or a New service */
  endpoint: string;
  /** only what it served then, such as 2026-11-01T09:30; UTC without a zone */
  as_of?: string;
}

/** Show the two keys that open an endpoint, or one of them. */
export interface IEndpointKeysRequest {
  /** SERVICE/ENDPOINT */
  endpoint: string;
  /** primary or secondary: that key alone, for a script */
  only?: string;
}

/** Make one of an endpoint's two keys anew; the other one works all the while. */
export interface IEndpointRegenerateKeyRequest {
  /** SERVICE/ENDPOINT */
  endpoint: string;
  /** primary or secondary */
  which: string;
}

/** Show the definition an endpoint serves now. */
export interface IWsdShowRequest {
  /** SERVICE or SERVICE/ENDPOINT */
  service: string;
}

/** Write a definition to a new file, in the form to keep in git; nothing is deployed by it. */
export interface IWsdExportRequest {
  /** SERVICE, SERVICE/ENDPOINT, or a model NAME:VERSION that is not deployed */
  what: string;
  /** where to write it; it must not exist yet */
  file: string;
  /** the version of the published schema to write */
  api_version?: string;
}

/** Check a definition file: its form, its graph, and that all it names is here. */
export interface IWsdValidateRequest {
  /** a WSD file */
  file: string;
}

/** Put another trained model into a definition file; everything else in it stays as it was typed. */
export interface IWsdSetModelRequest {
  /** a WSD file; it is changed in its place */
  file: string;
  /** NAME:VERSION or NAME@ALIAS */
  model: string;
  /** which one, where the definition has several: its asset's name or its own */
  asset?: string;
}

/** Say in words what is different between two definitions: which model moved, which column came. */
export interface IWsdDiffRequest {
  /** a WSD file, SERVICE or SERVICE/ENDPOINT */
  old: string;
  /** the same */
  new: string;
}

/** Make a service of a definition file; the one it was exported from is left as it is. */
export interface IWsdDeployRequest {
  /** a WSD file */
  file: string;
  /** the name of the service to make */
  service: string;
  /** move the default endpoint of a service that exists */
  update?: boolean;
  /** classic or new */
  kind?: string;
  /** of a New service: how much it may take */
  plan?: string;
  /** of a New service: where it lives */
  region?: string;
}

/** Have a service serve exactly what a definition file says: made, moved, or left alone where it does already. */
export interface IWsdApplyRequest {
  /** a WSD file */
  file: string;
  /** SERVICE or SERVICE/ENDPOINT; without it, the service that the file is named after */
  service?: string;
}

/** Make a plan: how much each service that is deployed with it may take. */
export interface IPlanAddRequest {
  /** the plan's name */
  plan: string;
  /** how many scorer processes its services' regions run at least */
  workers?: number;
  /** how many calls one of its services answers at once */
  concurrency?: number;
  /** how many MB the models and data of one of its services may take */
  memory?: number;
}

/** List the plans and what is deployed with them. */
export interface IPlanListRequest {}

/** Show one plan and what is deployed with it. */
export interface IPlanShowRequest {
  /** the plan's name */
  plan: string;
}

/** Remove a plan that no service has. */
export interface IPlanRemoveRequest {
  /** the plan's name */
  plan: string;
  /** remove it without asking */
  yes?: boolean;
}

/** Make a region: a folder for whole services, and a server of its own that is started by the first of them. */
export interface IRegionAddRequest {
  /** the region's name */
  region: string;
  /** the folder that keeps all its services have */
  storage?: string;
}

/** List the regions, and what lives in each. */
export interface IRegionListRequest {}

/** Show one region: its storage, its address, and what lives there. */
export interface IRegionShowRequest {
  /** the region's name */
  region: string;
}

/** Stop a region's server and forget the region; its storage stays, and brings it back when it is added again. */
export interface IRegionRemoveRequest {
  /** the region's name */
  region: string;
  /** remove it without asking; what lives there stops answering */
  yes?: boolean;
}

/** List jobs, newest first. */
export interface IJobListRequest {
  /** how many jobs to list */
  limit?: number;
}

/** Show one job: who holds it, how far it is, what came of it. */
export interface IJobShowRequest {
  /** a job's id, or its beginning */
  job: string;
}

/** Follow a job to its end. */
export interface IJobFollowRequest {
  /** a job's id, or its beginning */
  job: string;
  /** how long to follow */
  timeout_s?: number;
}

/** Stop a job, with everything it started. */
export interface IJobCancelRequest {
  /** a job's id, or its beginning */
  job: string;
}

/** Run the snapshot that trained a service's model again, which makes its next version. */
export interface IRetrainRunRequest {
  /** the service whose model is trained again */
  service: string;
  /** values for the notebook's parameters cell */
  parameters?: Record<string, unknown>;
  /** the endpoint to put the new model behind */
  patch?: string;
  /** wait for its end */
  wait?: boolean;
}

/** Run an experiment by the clock: the snapshot taken now, or with --follow-draft the notebook of the moment. */
export interface ITriggerAddRequest {
  /** the notebook to run */
  notebook: string;
  /** what to call it */
  name: string;
  /** when: minute, hour, day of month, month, day of week, such as '0 3 * * 1-5' */
  cron: string;
  /** whose clocks that means, such as Europe/Berlin */
  timezone?: string;
  /** values for its parameters cell */
  parameters?: Record<string, unknown>;
  /** the tag of the last cell to run */
  to?: string;
  /** for times when nothing ran here: once (one run for the latest) or skip */
  missed?: string;
  /** take the notebook as it is at each time, not the snapshot taken now */
  follow_draft?: boolean;
}

/** List what runs by the clock, when it runs next, and what came of it last. */
export interface ITriggerListRequest {}

/** Show one trigger: which snapshot it runs, whether that is what your editor has, and when. */
export interface ITriggerShowRequest {
  /** its name */
  trigger: string;
}

/** Stop a trigger until it is resumed; the times that pass meanwhile are not missed. */
export interface ITriggerPauseRequest {
  /** its name */
  trigger: string;
}

/** Have a paused trigger go on, from its next time after now. */
export interface ITriggerResumeRequest {
  /** its name */
  trigger: string;
}

/** Delete a trigger; the runs it started, and the snapshot it ran, stay. */
export interface ITriggerDeleteRequest {
  /** its name */
  trigger: string;
  /** delete without asking */
  yes?: boolean;
}

/** Start the server, at the address it had before, and those of the regions in which something lives. */
export interface IServerStartRequest {
  /** a new port, which changes every address */
  port?: number;
  /** only the server of this region */
  region?: string;
}

/** Stop the server and everything it runs, in all regions. */
export interface IServerStopRequest {
  /** only the server of this region */
  region?: string;
}

/** Show whether the server runs, where, and which processes carry it. */
export interface IServerStatusRequest {
  /** only the server of this region */
  region?: string;
}

/** Show the end of the server's logs. */
export interface IServerLogsRequest {
  /** one process, as `server status` names it */
  process?: string;
  /** how many lines of each */
  lines?: number;
  /** only the server of this region */
  region?: string;
}

/** The arguments of every verb, by noun and name. */
export interface IVerbs {
  'workspace/init': IWorkspaceInitRequest;
  'workspace/show': IWorkspaceShowRequest;
  'workspace/doctor': IWorkspaceDoctorRequest;
  'workspace/gc': IWorkspaceGcRequest;
  'dataset/upload': IDatasetUploadRequest;
  'dataset/update': IDatasetUpdateRequest;
  'dataset/list': IDatasetListRequest;
  'dataset/show': IDatasetShowRequest;
  'dataset/lineage': IDatasetLineageRequest;
  'dataset/download': IDatasetDownloadRequest;
  'dataset/delete': IDatasetDeleteRequest;
  'transform/register': ITransformRegisterRequest;
  'transform/list': ITransformListRequest;
  'transform/show': ITransformShowRequest;
  'transform/lineage': ITransformLineageRequest;
  'transform/delete': ITransformDeleteRequest;
  'experiment/list': IExperimentListRequest;
  'experiment/show': IExperimentShowRequest;
  'experiment/snapshot': IExperimentSnapshotRequest;
  'experiment/run': IExperimentRunRequest;
  'experiment/history': IExperimentHistoryRequest;
  'experiment/delete': IExperimentDeleteRequest;
  'experiment/save-as': IExperimentSaveAsRequest;
  'experiment/update-asset': IExperimentUpdateAssetRequest;
  'experiment/export': IExperimentExportRequest;
  'experiment/import': IExperimentImportRequest;
  'experiment/copy': IExperimentCopyRequest;
  'experiment/move': IExperimentMoveRequest;
  'experiment/open': IExperimentOpenRequest;
  'experiment/graph': IExperimentGraphRequest;
  'experiment/diff': IExperimentDiffRequest;
  'run/show': IRunShowRequest;
  'run/cancel': IRunCancelRequest;
  'run/compare': IRunCompareRequest;
  'run/outputs': IRunOutputsRequest;
  'run/download-output': IRunDownloadOutputRequest;
  'run/replay': IRunReplayRequest;
  'gallery/publish': IGalleryPublishRequest;
  'gallery/list': IGalleryListRequest;
  'gallery/clone': IGalleryCloneRequest;
  'model/register': IModelRegisterRequest;
  'model/promote': IModelPromoteRequest;
  'model/list': IModelListRequest;
  'model/show': IModelShowRequest;
  'model/download': IModelDownloadRequest;
  'model/delete': IModelDeleteRequest;
  'model/sample': IModelSampleRequest;
  'model/tag': IModelTagRequest;
  'model/alias': IModelAliasRequest;
  'model/aliases': IModelAliasesRequest;
  'model/history': IModelHistoryRequest;
  'model/lineage': IModelLineageRequest;
  'model/dependents': IModelDependentsRequest;
  'model/compare': IModelCompareRequest;
  'model/sign': IModelSignRequest;
  'model/verify': IModelVerifyRequest;
  'policy/add': IPolicyAddRequest;
  'policy/list': IPolicyListRequest;
  'policy/show': IPolicyShowRequest;
  'policy/delete': IPolicyDeleteRequest;
  'trust/list': ITrustListRequest;
  'trust/add': ITrustAddRequest;
  'trust/remove': ITrustRemoveRequest;
  'service/deploy': IServiceDeployRequest;
  'service/list': IServiceListRequest;
  'service/show': IServiceShowRequest;
  'service/find': IServiceFindRequest;
  'service/score': IServiceScoreRequest;
  'service/consume': IServiceConsumeRequest;
  'service/start': IServiceStartRequest;
  'service/stop': IServiceStopRequest;
  'service/delete': IServiceDeleteRequest;
  'service/keys': IServiceKeysRequest;
  'service/regenerate-key': IServiceRegenerateKeyRequest;
  'service/setup': IServiceSetupRequest;
  'endpoint/add': IEndpointAddRequest;
  'endpoint/refresh': IEndpointRefreshRequest;
  'endpoint/delete': IEndpointDeleteRequest;
  'endpoint/list': IEndpointListRequest;
  'endpoint/show': IEndpointShowRequest;
  'endpoint/patch': IEndpointPatchRequest;
  'endpoint/rollback': IEndpointRollbackRequest;
  'endpoint/history': IEndpointHistoryRequest;
  'endpoint/keys': IEndpointKeysRequest;
  'endpoint/regenerate-key': IEndpointRegenerateKeyRequest;
  'wsd/show': IWsdShowRequest;
  'wsd/export': IWsdExportRequest;
  'wsd/validate': IWsdValidateRequest;
  'wsd/set-model': IWsdSetModelRequest;
  'wsd/diff': IWsdDiffRequest;
  'wsd/deploy': IWsdDeployRequest;
  'wsd/apply': IWsdApplyRequest;
  'plan/add': IPlanAddRequest;
  'plan/list': IPlanListRequest;
  'plan/show': IPlanShowRequest;
  'plan/remove': IPlanRemoveRequest;
  'region/add': IRegionAddRequest;
  'region/list': IRegionListRequest;
  'region/show': IRegionShowRequest;
  'region/remove': IRegionRemoveRequest;
  'job/list': IJobListRequest;
  'job/show': IJobShowRequest;
  'job/follow': IJobFollowRequest;
  'job/cancel': IJobCancelRequest;
  'retrain/run': IRetrainRunRequest;
  'trigger/add': ITriggerAddRequest;
  'trigger/list': ITriggerListRequest;
  'trigger/show': ITriggerShowRequest;
  'trigger/pause': ITriggerPauseRequest;
  'trigger/resume': ITriggerResumeRequest;
  'trigger/delete': ITriggerDeleteRequest;
  'server/start': IServerStartRequest;
  'server/stop': IServerStopRequest;
  'server/status': IServerStatusRequest;
  'server/logs': IServerLogsRequest;
}
