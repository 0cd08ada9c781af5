"""Why a notebook is not converted, a sentence for each reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlalm_jupyter.domain.errors import InvalidInput

BY_HAND = "mark where rows come in and go out with `%web_input VAR` and `%web_output VAR`"


def listed(names: Iterable[str]) -> str:
    """Names as they are told one after the other."""
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def neighbours(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="what each row gives by itself",
        got=f"`{what}`, which depends on the other rows and their order",
        fix=f"Work it out before the table comes in: {BY_HAND}, or tag the cell `role:transform` if it is right.",
    )


def learned_inside(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="what is learned of all rows in a statement of its own",
        got=f"`{what}`, which learns it and gives it to each row at once",
        fix="Put what it learns into variables before (a mean and a deviation, a list of values), and work the column out "
        "with them.",
    )


def over_rows(cell: int, what: str, where: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="statistics over rows that stand in a statement of their own",
        got=f"`{what}` {where}",
        fix="Work it out in a variable before, and use that variable there.",
    )


def learns_once(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="a model that can say something of new rows",
        got=f"`{what}`, which only knows the rows it was trained on",
        fix="Use one that has `predict` or `transform`, such as KMeans or PCA.",
    )


def network(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="a model whose training can be told from its scoring",
        got=f"one of {what}",
        fix="Save the trained model, and write the predictive notebook by hand around it.",
    )


def reshaped(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="one row out for each row in",
        got=f"`{what}`, which makes other rows of them",
        fix=f"Let the service begin after it: {BY_HAND}.",
    )


def rows_apart(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="values that stay with the rows they are of",
        got=f"`{what}`, which puts values of some rows beside others",
        fix=f"Work it out before the table comes in, or {BY_HAND}.",
    )


def rows_put_below(cell: int) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="one table whose rows are scored",
        got="several that are put below each other",
        fix=f"Prepare each in the same way, one by one, or {BY_HAND}.",
    )


def unreadable(cell: int, why: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="code whose effect can be read from its text, because the output may need it",
        got=why,
        fix=f"Write it as plain Python, tag the cell `skip` if scoring does not need it, or {BY_HAND}.",
    )


def gone(cell: int, name: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="names that cells which ran before it define",
        got=f"`{name}`, whose definition is not in the notebook any more, or comes later",
        fix="Restart the kernel and run all cells from top to bottom, then repeat.",
    )


def several_models(names: Iterable[str]) -> InvalidInput:
    names = list(dict.fromkeys(names))
    return InvalidInput(
        "The notebook",
        expected="one model whose predictions go out",
        got=f"{len(names)}: {listed(names)}",
        fix=f"Say which one with `%select_model {names[-1]}` in a cell, or with `--model {names[-1]}`.",
    )


def unknown_model(name: str, names: Iterable[str]) -> InvalidInput:
    names = list(dict.fromkeys(names))
    return InvalidInput(
        "The model to select",
        expected=f"one of {listed(names)}" if names else "the variable of a trained model",
        got=f"`{name}`",
        fix="Name the variable that holds the trained model.",
    )


def models_in_loop(cell: int) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="the prediction of one model, outside of a loop",
        got="models that a loop trains or compares",
        fix="After it, take the one to serve and score with it: `model = models['best']`, then "
        "`predictions = model.predict(X_test)`.",
    )


def trained_again(cell: int, name: str, before: int, *, is_used: bool) -> InvalidInput:
    """`is_used` where the last of them predicts something, so that it can be asked for."""
    last = f"or ask for the last one with `%select_model {name}` or `--model {name}`"
    return InvalidInput(
        f"Cell {cell}",
        expected="a model that stays as it was when it gave the output",
        got=f"`{name}`, redefined after training: the output of cell {before} came from what it was before",
        fix=f"Give each model a name of its own, {last if is_used else 'or let the output come last'}.",
    )


def no_model() -> InvalidInput:
    return InvalidInput(
        "The notebook",
        expected="a trained model whose predictions go out",
        got="none",
        fix="Without a model it takes data and gives results as it is: `mlalm service setup ports NOTEBOOK` marks "
        "where.",
    )


def fitted_curve(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="a trained model whose predictions go out",
        got=f"`{what}`, which gives numbers: what is predicted with them is not told by their name",
        fix="Mark what is predicted, after it is made: `%web_output VAR`.",
    )


def hidden_training(cell: int) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="a trained model in a variable, and its prediction in a statement of its own",
        got="training inside functions, classes or loops whose model cannot be followed",
        fix="Tag the cell that trains `role:train`, and mark what goes out with `%web_output VAR`; or train and score "
        "in statements of their own.",
    )


def only_validated(cell: int) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="a model that is trained and stays",
        got="`cross_val_predict`, whose models are thrown away: the model itself was never fitted",
        fix="Add `model.fit(X, y)` and `predictions = model.predict(X)`.",
    )


def run_again(cell: int) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="cells that ran once, in an order that their text tells",
        got="one that ran more than once and changes what it reads",
        fix="Restart the kernel and run all cells from top to bottom, then repeat.",
    )


def only_in_notebooks(cell: int, line: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="Python that runs outside of a notebook as well, between input and output",
        got=line,
        fix="Load models and transforms with `NAME = %model ...`; do the rest without magics.",
    )


def of_the_machine(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="scoring that needs nothing but the rows",
        got=f"`{what}`, which is another on the machine that serves",
        fix="Write the value into a cell.",
    )


def at_random(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="scoring that gives the same answer for the same row",
        got=f"`{what}`, which draws at random",
        fix="Leave it out of what the model learns from, or work it out from the row.",
    )


def failed(cell: int) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="cells that run to their end, where the output needs them",
        got="one that is tagged as raising an error: how far it came, its text does not tell",
        fix="Take out what fails, and run all cells from top to bottom.",
    )


def never_scored(names: Iterable[str]) -> InvalidInput:
    return InvalidInput(
        "The notebook",
        expected="a prediction of the model it trains",
        got=f"{listed(names)}, of which nothing predicts on rows that are brought in",
        fix="Add a cell that scores, such as `predictions = model.predict(X_test)`.",
    )


def not_reached(output: str) -> InvalidInput:
    return InvalidInput(
        "The notebook",
        expected="an output that comes out of a trained model",
        got=f"`{output}`, from which no model is reached",
        fix="Mark what comes out of the model: `%web_output VAR` right after it is made.",
    )


def plot(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="an output of rows",
        got=f"a plot (`{what}`)",
        fix="Give the predictions a name in a statement of their own, such as `pred = model.predict(X)`, and mark that: "
        "`%web_output pred`.",
    )


def no_output(cell: int, name: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="a port on a variable that is set before it",
        got=f"`{name or 'nothing'}`",
        fix="Name the variable, in a cell after the one that sets it.",
    )


def several_inputs(tables: Iterable[tuple[str, int]]) -> InvalidInput:
    told = list(tables)
    return InvalidInput(
        "The notebook",
        expected="one table that comes in and reaches the output",
        got=", ".join(f"`{name}` (cell {cell})" for name, cell in told),
        fix=f"Mark the one that callers send, after it is brought in: `%web_input {told[0][0]}`; the others are kept "
        "as they are.",
    )


def no_input(grouped: tuple[int, str] | None = None) -> InvalidInput:
    """`grouped` is the cell and the statement that makes one row of many, where there is one."""
    got = f"none, for cell {grouped[0]} makes one row of many others in `{grouped[1]}`" if grouped else "none"
    return InvalidInput(
        "The notebook",
        expected="a table that is brought in and reaches the output row by row",
        got=got,
        fix="Mark the variable that callers send, after the cell that makes it: `%web_input VAR`.",
    )


def reads_file(cell: int, what: str, files: Iterable[str] = ()) -> InvalidInput:
    told = listed(sorted(files)) or "a file"
    return InvalidInput(
        f"Cell {cell}",
        expected="scoring that reads no files",
        got=f"`{what}`, which would read {told} at each call",
        fix="Bring it in as a table of its own and mark the rows of callers with `%web_input VAR`.",
    )


WITHOUT_LABEL = "an output that can be had without the label"
LEARNT = "which is what the model learns to predict"
"""How a comparison tells that answers depend on a label."""


def needs_label(cell: int, name: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected=WITHOUT_LABEL,
        got=f"`{name}`, the label that the model is to predict",
        fix="Let the predictions alone go out: `%web_output VAR` after they are made.",
    )


def without(labels: Iterable[str], features: Mapping[str, int]) -> str:
    """What to do about columns that a label was put into, each with the cell that makes it."""
    if not features:
        return (
            f"Leave {listed(labels)} out of what the model learns from, and every column that is made of it."
        )
    told = ", ".join(f"`{name}` (cell {cell})" for name, cell in features.items())
    them = "that column is" if len(features) == 1 else "those columns are"
    return f"Leave {told} out of what the model learns from: {them} made of it."


def still_fits(cell: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"Cell {cell}",
        expected="training that can be told from scoring",
        got=f"`{what}` in the middle of what scoring needs",
        fix="Train in a statement of its own (`model.fit(X, y)`), and use what was trained in another one.",
    )
