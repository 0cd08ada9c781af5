"""Modules beside a notebook travel in the text that is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.predictive.modules import texts_beside, with_modules

pytestmark = pytest.mark.prove_conversion


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        file = (
            folder / f"{name.replace('__', '/')}.py"
            if "__init" not in name
            else folder / name[:-6] / "__init__.py"
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def ran(code: str, folder: Path) -> dict[str, Any]:
    """The names of code that was run where none of the modules lie any more."""
    text = with_modules(code, texts_beside(folder))
    names: dict[str, Any] = {}
    for file in folder.rglob("*.py"):
        file.unlink()
    exec(compile(text, "<deployed>", "exec"), names)
    return names


@pytest.mark.parametrize(
    "code",
    [
        "import tidy\nx = tidy.limit",
        "import json, tidy as t, math\nx = t.limit if math and json else 0",
        "from tidy import limit as x",
        "from tidy import (\n    limit,\n    f,\n)\nx = limit",
        "def late():\n    from tidy import limit; return limit\n\nx = late()",
        "from __future__ import annotations\nimport tidy\nx = tidy.limit",
        "import tools.inner\nx = tools.inner.limit",
        "import tools.inner as i\nx = i.limit",
        "from tools import inner\nx = inner.limit",
        "from tools.inner import limit as x",
        "from tools.beside import up\nx = up()",
    ],
)
def test_what_is_imported_from_beside_is_there_without_the_files(tmp_path: Path, code: str) -> None:
    write(
        tmp_path,
        tidy="import words\nlimit = words.LIMIT\ndef f(): ...\n",
        words="LIMIT = 3\n",
        tools__inner="limit = 3\n",
        tools__beside="from .inner import limit\n\ndef up():\n    from tools import inner\n    return inner.limit\n",
    )
    assert ran(code, tmp_path)["x"] == 3


def test_what_looks_its_module_up_finds_it(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n\n@dataclass\nclass Row:\n    a: int = 3\n"
    write(tmp_path, tidy=text)
    assert ran("import tidy\nx = tidy.Row().a", tmp_path)["x"] == 3


def test_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("secret = 1\n")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "tidy.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(InvalidInput, match="a file that lies there"):
        with_modules("import tidy", texts_beside(tmp_path / "here"))


def test_what_is_installed_is_imported_as_before(tmp_path: Path) -> None:
    code = "import json\nfrom pathlib import Path\nimport os.path\n"
    assert with_modules(code, texts_beside(tmp_path)) == code


def test_modules_that_import_each_other_are_found(tmp_path: Path) -> None:
    write(tmp_path, one="import two\nA = 1\n", two="import one\ndef b(): return one.A\n")
    assert ran("import one, two\nx = two.b()", tmp_path)["x"] == 1


def test_all_names_of_a_module_cannot_be_told(tmp_path: Path) -> None:
    write(tmp_path, tidy="limit = 3\n")
    with pytest.raises(InvalidInput, match="names that are written out"):
        with_modules("from tidy import *", texts_beside(tmp_path))


def test_a_module_that_is_no_python_is_refused(tmp_path: Path) -> None:
    write(tmp_path, tidy="limit = = 3\n")
    with pytest.raises(InvalidInput, match=r"The module .tidy. beside the notebook.*line 1"):
        with_modules("import tidy", texts_beside(tmp_path))
