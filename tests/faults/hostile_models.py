"""A corpus of model files made to do harm, each with a plain way to open it that shows the harm.

Each maker is given the place of a canary and a folder, and leaves one file or folder. `plain` opens it as a person
without us would. How it then shows: the canary is written, the process dies, or (`tells`) the plain reader takes it
for good, or reads what it should not.
"""

from __future__ import annotations

import bz2
import cProfile
import functools
import gzip
import importlib.util
import io
import itertools
import json
import lzma
import operator
import os
import pickle
import shutil
import stat
import struct
import subprocess
import sys
import timeit
import warnings
import zipfile
import zlib
from code import InteractiveConsole
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.faults.tampering import good_package, members, relisted, rewritten, zipped

Maker = Callable[[Path, Path], Path]
FIRES, DIES, TELLS, NOTHING = "fires", "dies", "tells", "nothing"


@dataclass(frozen=True)
class Hostile:
    """One of the corpus: how it is made, how it is opened plainly, what that shows, and what we say of it."""

    name: str
    family: str
    make: Maker
    plain: str
    shows: str
    says: str
    needs: tuple[str, ...] = ()


CORPUS: list[Hostile] = []


def hostile(
    family: str, plain: str, *, says: str, shows: str = FIRES, needs: tuple[str, ...] = (), name: str = ""
) -> Callable[[Maker], Maker]:
    def added(make: Maker) -> Maker:
        told = name or make.__name__.replace("_", " ")
        CORPUS.append(Hostile(told, family, make, plain, shows, says, needs))
        return make

    return added


# How people open such files: each is a program that is given the place of the file.
PICKLE = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"
JOBLIB = "import joblib, sys; joblib.load(sys.argv[1])"
NUMPY = "import numpy, sys; x = numpy.load(sys.argv[1], allow_pickle=True); [x[n] for n in x] if hasattr(x, 'files') else 0"
SKOPS = "import skops.io as s, sys; s.load(sys.argv[1], trusted=s.get_untrusted_types(file=sys.argv[1]))"
TORCH = "import torch, sys; torch.load(sys.argv[1], weights_only=False)"
TORCHSCRIPT = "import torch, sys; m = torch.jit.load(sys.argv[1]); m(torch.zeros(1))"
TORCH_EXPORT = "import torch, sys; torch.export.load(sys.argv[1])"
ONNX = "import onnxruntime as o, sys; o.set_default_logger_severity(4); s = o.InferenceSession(sys.argv[1]); "
ONNX += "print(s.run(None, {}))"
ONNX_LOADS = "import onnx, sys; m = onnx.load(sys.argv[1]); print(len(m.SerializeToString()))"
XGBOOST = "import xgboost as x, numpy as n, sys; b = x.Booster({'nthread': 1}); b.load_model(sys.argv[1]); "
XGBOOST += "b.predict(x.DMatrix(n.zeros((5, 3)), nthread=1))"
LIGHTGBM = "import lightgbm as g, numpy as n, sys; rows = n.linspace(-9, 9, 99).reshape(33, 3); "
LIGHTGBM += "g.Booster(model_file=sys.argv[1]).predict(rows, num_threads=1)"
CATBOOST = "import catboost as c, numpy as n, sys; m = c.CatBoost(); m.load_model(sys.argv[1]); "
CATBOOST += "m.predict(n.zeros((5, 3)), thread_count=1)"
EXTRACT = """
import os, sys, zipfile
os.chdir(os.path.dirname(sys.argv[1]))
archive = zipfile.ZipFile(sys.argv[1])
for info in archive.infolist():
    path = os.path.join("deep/out", info.filename.replace(chr(92), "/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    data = archive.read(info)
    if (info.external_attr >> 16) & 0o170000 == 0o120000:
        os.symlink(data.decode(), path)
    elif not info.is_dir():
        open(path, "wb").write(data)
"""
UNPACK_TO_MEMORY = (
    "import zipfile, sys; z = zipfile.ZipFile(sys.argv[1]); print(sum(len(z.read(i)) for i in z.infolist()))"
)
LISTED = "import zipfile, sys; z = zipfile.ZipFile(sys.argv[1]); print([(i.filename, z.read(i)[:9]) for i in z.infolist()])"
YAML = "import yaml, sys, os; yaml.load(open(os.path.join(sys.argv[1], 'MLmodel')), Loader=yaml.UnsafeLoader)"
FOLDER_PICKLE = """
import yaml, pickle, sys, os
told = yaml.safe_load(open(os.path.join(sys.argv[1], "MLmodel")))["flavors"]["sklearn"]
pickle.load(open(os.path.join(sys.argv[1], told["pickled_model"]), "rb"))
"""
FOLDER_CODE = """
import yaml, sys, os, importlib
told = yaml.safe_load(open(os.path.join(sys.argv[1], "MLmodel")))["flavors"]
sys.path.insert(0, os.path.join(sys.argv[1], "code"))
importlib.import_module(told["python_function"]["loader_module"])
"""
PACKAGE_PICKLE = (
    "import zipfile, pickle, sys; pickle.loads(zipfile.ZipFile(sys.argv[1]).read('payload/model.pkl'))"
)
PACKAGE_ANY = "import zipfile, pickle, sys; z = zipfile.ZipFile(sys.argv[1]); "
PACKAGE_ANY += "pickle.loads(z.read([n for n in z.namelist() if n.startswith('payload/')][0]))"
BELIEVED = "import zipfile, json, sys; z = zipfile.ZipFile(sys.argv[1]); print(json.loads(z.read('manifest.json'))['format'])"


LAYERS_BELIEVED = """
import zipfile, json, sys
print(json.loads(zipfile.ZipFile(sys.argv[1]).read("payload/layers.json")))
"""
REQUIREMENTS_BELIEVED = """
import zipfile, json, sys
print(json.loads(zipfile.ZipFile(sys.argv[1]).read("manifest.json"))["requirements"])
"""
ONNX_SIZE = ONNX.replace("print(s.run(None, {}))", "print(s.run(None, {})[0].nbytes)")
ARRAY_IN_SKOPS = """
import zipfile, numpy, io, sys
inner = zipfile.ZipFile(sys.argv[1]).read("payload/model.skops")
numpy.load(io.BytesIO(zipfile.ZipFile(io.BytesIO(inner)).read("1.npy")), allow_pickle=True)
"""
SAMPLE_SIZE = """
import zipfile, json, sys
print(len(json.loads(zipfile.ZipFile(sys.argv[1]).read("sample.json"))))
"""
MANIFEST_READ = """
import zipfile, json, sys
json.loads(zipfile.ZipFile(sys.argv[1]).read("manifest.json"))
"""
SKOPS_SIZE = """
import zipfile, io, sys
inner = zipfile.ZipFile(sys.argv[1]).read("payload/model.skops")
print(len(zipfile.ZipFile(io.BytesIO(inner)).read("schema.json")))
"""
YAML_SIZE = """
import yaml, sys, os
print(len(str(yaml.safe_load(open(os.path.join(sys.argv[1], "MLmodel"))))))
"""
LINK_READ = "import os, sys; print(open(os.path.join(sys.argv[1], 'model.skops')).read())"
NAMES = "import zipfile, sys; print(len(zipfile.ZipFile(sys.argv[1]).namelist()))"
PICKLES = """
import pickle, sys
file, count = open(sys.argv[1], "rb"), 0
while file.peek(1):
    pickle.load(file)
    count += 1
print(count)
"""
PICKLES_IN_ZIP = "import zipfile, sys; z = zipfile.ZipFile(sys.argv[1]); "
PICKLES_IN_ZIP += "print(sum(len(z.read(i)) for i in z.infolist() if i.filename.endswith('.pkl')))"


class Reduced:
    """Does what it is told to when it is unpickled."""

    def __init__(self, *reduced: Any) -> None:
        self._reduced = reduced

    def __reduce__(self) -> Any:
        return self._reduced


def writes(canary: Path) -> Reduced:
    return Reduced(Path.write_text, (canary, "sang"))


def code(canary: Path) -> str:
    return f"open({str(canary)!r}, 'w').write('sang')"


def kept(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


# 1. pickles, by their opcodes


def opcode(name: str, build: Callable[[str], bytes]) -> None:
    def make(canary: Path, folder: Path) -> Path:
        return kept(folder, "model.pkl", build(code(canary)))

    hostile("pickle opcodes", PICKLE, says=r"arbitrary Python|copyreg", name=f"a pickle with {name}")(make)


opcode("GLOBAL and REDUCE", lambda c: b"\x80\x02cbuiltins\nexec\n" + text(c) + b"\x85R.")
opcode(
    "STACK_GLOBAL", lambda c: b"\x80\x04" + text("builtins") + text("exec") + b"\x93" + text(c) + b"\x85R."
)
opcode(
    "names out of the memo",
    lambda c: (
        b"\x80\x04"
        + text("builtins")
        + b"\x940"
        + text("exec")
        + b"\x940h\x00h\x01\x93"
        + text(c)
        + b"\x85R."
    ),
)
opcode("INST", lambda c: b"(" + text(c) + b"ibuiltins\nexec\n.")
opcode("OBJ", lambda c: b"(cbuiltins\nexec\n" + text(c) + b"o.")
opcode(
    "NEWOBJ",
    lambda c: b"\x80\x02cbuiltins\nlist\ncbuiltins\nmap\ncbuiltins\nexec\n(" + text(c) + b"l\x86\x81\x85R.",
)
opcode(
    "BUILD",
    lambda c: (
        b"\x80\x02cfractions\nFraction\n)\x81}" + text("x") + b"cbuiltins\nexec\n" + text(c) + b"\x85Rsb."
    ),
)
opcode("protocol 0", lambda c: b"cbuiltins\nexec\n(V" + c.encode("raw_unicode_escape") + b"\ntR.")
opcode("what is thrown away again", lambda c: b"\x80\x04cbuiltins\nexec\n" + text(c) + b"\x85R0K\x01.")
opcode("much before it", lambda c: b"\x80\x04" + b"]0" * 20_000 + b"cbuiltins\nexec\n" + text(c) + b"\x85R.")
opcode(
    "a frame that lies",
    lambda c: (
        b"\x80\x04\x95"
        + struct.pack("<Q", len(c) + 64)
        + b"cbuiltins\nexec\n"
        + text(c)
        + b"\x85R."
        + b"N" * 64
    ),
)


# 2. chains of reduce


def chain(name: str, build: Callable[[Path], Any], protocol: int = 4) -> None:
    def make(canary: Path, folder: Path) -> Path:
        return kept(folder, "model.pkl", pickle.dumps(build(canary), protocol))

    hostile("reduce chains", PICKLE, says="arbitrary Python", name=f"a chain through {name}")(make)


chain("eval", lambda c: Reduced(eval, (code(c),)))
chain("os.system", lambda c: Reduced(os.system, (f"printf sang > '{c}'",)))
chain("a method of a path", writes)
chain("a partial", lambda c: Reduced(functools.partial(exec, code(c)), ()))
chain("compile and exec", lambda c: Reduced(exec, (Reduced(compile, (code(c), "<model>", "exec")),)))
chain("a pickle in a pickle", lambda c: Reduced(pickle.loads, (pickle.dumps(writes(c)),)))
chain("a method by its name", lambda c: Reduced(operator.methodcaller("write_text", "sang"), (c,)))
chain("a timer", lambda c: Reduced(timeit.timeit, (code(c), "pass", timeit.default_timer, 1)))
chain("a profiler", lambda c: Reduced(cProfile.run, (code(c), f"{c.parents[1] / 'files' / 'profile'}")))
chain("a console", lambda c: Reduced(InteractiveConsole.runsource, (InteractiveConsole(), code(c))))
chain("a key of a sort", lambda c: Reduced(min, (Reduced(map, (exec, [code(c)])),)))
chain(
    "a default that is made",
    lambda c: Reduced(getitem, (Reduced(defaultdict, (Reduced(functools.partial, (exec, code(c))),)), 1)),
)
chain("a copy of a file", lambda c: Reduced(shutil.copyfile, (sys.executable, str(c))))
chain("a link", lambda c: Reduced(os.symlink, (str(Path(__file__)), str(c))))
chain("a folder", lambda c: Reduced(os.mkdir, (str(c),)))
chain("a dictionary of lists", lambda c: {"model": [1, {"deep": writes(c)}]})
chain("a subprocess", lambda c: Reduced(subprocess.call, (["/bin/sh", "-c", f"printf sang > '{c}'"],)))
chain(
    "getattr",
    lambda c: Reduced(
        operator.call, (Reduced(getattr, (Reduced(__import__, ("builtins",)), "exec")), code(c))
    ),
)


# 3. cloudpickle by value


@hostile("cloudpickle by value", PICKLE, says="arbitrary Python")
def a_class_that_travels_and_acts_when_it_is_made(canary: Path, folder: Path) -> Path:
    import cloudpickle

    scope: dict[str, Any] = {"__name__": "__main__"}
    body = "class Model:\n    def __setstate__(self, state):\n        "
    body += f"{code(canary)}\n    def predict(self, rows):\n        return 1\n"
    exec(body, scope)
    model = scope["Model"]()
    model.a = 1
    return kept(folder, "model.pkl", cloudpickle.dumps(model))


@hostile("cloudpickle by value", PICKLE, says="arbitrary Python")
def a_function_that_travels_and_is_called(canary: Path, folder: Path) -> Path:
    import cloudpickle

    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(f"def act():\n    {code(canary)}\n", scope)
    return kept(folder, "model.pkl", cloudpickle.dumps(Reduced(scope["act"], ())))


@hostile("cloudpickle by value", PICKLE, says="arbitrary Python")
def a_lambda_in_a_list(canary: Path, folder: Path) -> Path:
    import cloudpickle

    act = eval(f"lambda: {code(canary)}", {"__name__": "__main__"})
    return kept(folder, "model.pkl", cloudpickle.dumps([1, Reduced(act, ())]))


@hostile("cloudpickle by value", PACKAGE_PICKLE, says="arbitrary Python")
def a_package_with_a_class_that_travels(canary: Path, folder: Path) -> Path:
    data = a_class_that_travels_and_acts_when_it_is_made(canary, folder).read_bytes()
    (folder / "model.pkl").unlink()
    return packaged(folder, {"model.pkl": data}, format="cloudpickle")


def packaged(folder: Path, payload: dict[str, bytes], **manifest: object) -> Path:
    """A package with a truthful list of members around any payload."""
    held = {name: data for name, data in members(good_package()).items() if not name.startswith("payload/")}
    held.update({f"payload/{name}": data for name, data in payload.items()})
    return kept(folder, "model.ilearner", zipped(relisted(held, **manifest)))


# 4. joblib


def of_joblib(name: str, pack: Callable[[bytes], bytes]) -> None:
    def make(canary: Path, folder: Path) -> Path:
        return kept(folder, "model.joblib", pack(pickle.dumps(writes(canary))))

    hostile("joblib", JOBLIB, says="arbitrary Python", name=f"a joblib file, {name}")(make)


of_joblib("plain", lambda data: data)
of_joblib("zlib", zlib.compress)
of_joblib("gzip", gzip.compress)
of_joblib("bzip2", bz2.compress)
of_joblib("xz", lzma.compress)


# 5. arrays of objects


@hostile("numpy object arrays", NUMPY, says="array of numpy")
def an_array_of_objects(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.npy", object_array(canary))


def object_array(canary: Path) -> bytes:
    out = io.BytesIO()
    array = np.empty(1, dtype=object)
    array[0] = writes(canary)
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


@hostile("numpy object arrays", NUMPY, says="arrays of numpy")
def arrays_of_objects_in_a_zip(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.npz", zipped({"a.npy": object_array(canary)}))


@hostile("numpy object arrays", ARRAY_IN_SKOPS, says="no readable skops|was refused|damaged")
def an_array_of_objects_in_a_skops_file(canary: Path, folder: Path) -> Path:
    return packaged(folder, {"model.skops": skops_with_array(object_array(canary))})


@hostile("numpy object arrays", "import joblib, sys; joblib.load(sys.argv[1])", says="arbitrary Python")
def an_array_of_objects_of_joblibs(canary: Path, folder: Path) -> Path:
    import joblib

    array = np.empty(2, dtype=object)
    array[:] = [1, writes(canary)]
    joblib.dump(array, folder / "model.joblib")
    return folder / "model.joblib"


def skops_with_array(array: bytes) -> bytes:
    import skops.io as sio
    from sklearn.linear_model import LinearRegression

    rows = pd.DataFrame({"a": [1.0, 2.0]})
    inner = members(sio.dumps(LinearRegression().fit(rows, rows["a"])))
    schema = json.loads(inner.pop("schema.json"))

    def found(node: Any) -> Any:
        if isinstance(node, dict):
            if node.get("__loader__") == "NdArrayNode" and node.get("type") == "numpy":
                return node
            node = list(node.values())
        if isinstance(node, list):
            return next((one for part in node if (one := found(part)) is not None), None)
        return None

    node = found(schema)
    node["file"] = "1.npy"
    inner["1.npy"] = array
    return zipped({**inner, "schema.json": json.dumps(schema).encode()})


# 6. types of skops


def skops_schema(change: Callable[[dict[str, Any], str], None], canary: Path) -> bytes:
    import skops.io as sio
    from sklearn.linear_model import LinearRegression

    return rewritten(sio.dumps(LinearRegression()), lambda schema, inner: change(schema, str(canary)))


_numbers = itertools.count(901)


def node(loader: str, module: str, name: str, content: Any = None, **more: Any) -> dict[str, Any]:
    told = {"__class__": name, "__module__": module, "__loader__": loader, "__id__": next(_numbers)}
    return {**told, "content": content, **more}


def as_json(value: Any) -> dict[str, Any]:
    return node("JsonNode", "builtins", "str", json.dumps(value), is_json=True)


def listed(*items: Any) -> dict[str, Any]:
    return node("TupleNode", "builtins", "tuple", list(items))


def of_skops(
    name: str, build: Callable[[str], dict[str, Any]], *, shows: str = FIRES, says: str = ""
) -> None:
    def change(schema: dict[str, Any], canary: str) -> None:
        schema["content"]["content"]["fit_intercept"] = build(canary)

    def make(canary: Path, folder: Path) -> Path:
        return kept(folder, "model.skops", skops_schema(change, canary))

    def make_in_package(canary: Path, folder: Path) -> Path:
        return packaged(folder, {"model.skops": skops_schema(change, canary)})

    in_package = SKOPS.replace("file=sys.argv[1]", "data=d").replace("s.load(sys.argv[1]", "s.loads(d")
    in_package = in_package.replace("import skops", "import zipfile, skops").replace(
        "sys; ", "sys; d = zipfile.ZipFile(sys.argv[1]).read('payload/model.skops'); "
    )
    hostile("skops types", SKOPS, says=says, shows=shows, name=f"a skops file with {name}")(make)
    hostile("skops types", in_package, says=says, shows=shows, name=f"a package of skops with {name}")(
        make_in_package
    )


def reduced_by_skops(canary: str) -> dict[str, Any]:
    arguments = node(
        "DictNode", "builtins", "dict", {"args": listed(as_json(f"open({canary!r}, 'w').write('sang')"))}
    )
    return node("ConstructorFromReduceNode", "builtins", "exec", arguments["content"]["args"])


of_skops("a constructor of what it likes", reduced_by_skops, says="builtins.exec")
of_skops("an operator", lambda c: operator_of(c), says="attrgetter|methodcaller|operator", shows=NOTHING)
of_skops(
    "a function of the system",
    lambda c: node("FunctionNode", "os", "system", {"module_path": "os", "function": "system"}),
    says="os.system|posix.system",
    shows=NOTHING,
)
of_skops(
    "a reader nobody knows",
    lambda c: node("EvilNode", "os", "system"),
    says="os.system|was refused|readable",
    shows=NOTHING,
)
of_skops(
    "a type of the system",
    lambda c: node("TypeNode", "subprocess", "Popen", {"__class__": "Popen", "__module__": "subprocess"}),
    says="subprocess.Popen",
    shows=NOTHING,
)


def operator_of(canary: str) -> dict[str, Any]:
    return node("OperatorFuncNode", "operator", "methodcaller", None, attrs=listed(as_json("system")))


# 7. and 8. zips that lead elsewhere, links


def zip_of(folder: Path, name: str, data: bytes, *, mode: int = 0, more: bool = True) -> Path:
    held = members(good_package()) if more else {}

    def change(info: zipfile.ZipInfo) -> None:
        info.create_system = 3
        if info.filename == name and mode:
            info.external_attr = mode << 16

    return kept(folder, "model.ilearner", zipped({**held, name: data}, change))


def traversal(name: str) -> None:
    def make(canary: Path, folder: Path) -> Path:
        there = os.path.relpath(canary, folder / "deep" / "out")
        return zip_of(folder, name.format(there=there, back=there.replace("/", "\\"), place=canary), b"sang")

    hostile("zip traversal", EXTRACT, says="does not belong there", name=f"a member called {name}")(make)


for one in ("{there}", "payload/../{there}", "{place}", "{back}", "payload/./../{there}"):
    traversal(one)


@hostile("links", EXTRACT, says="a link")
def a_link_and_a_file_through_it(canary: Path, folder: Path) -> Path:
    held = members(good_package())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in held.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        link = zipfile.ZipInfo("payload/there")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(canary.parent))
        archive.writestr(zipfile.ZipInfo(f"payload/there/{canary.name}"), b"sang")
    return kept(folder, "model.ilearner", out.getvalue())


@hostile("links", LISTED, says="a device", shows=TELLS)
def a_member_that_is_a_device(canary: Path, folder: Path) -> Path:
    return zip_of(folder, "payload/device", b"", mode=stat.S_IFCHR | 0o666)


@hostile("links", LISTED, says="a folder", shows=TELLS)
def a_member_that_is_a_folder(canary: Path, folder: Path) -> Path:
    return zip_of(folder, "payload/folder", b"", mode=stat.S_IFDIR | 0o777)


@hostile("links", LINK_READ, says="a link", shows=TELLS)
def a_link_in_an_mlflow_folder(canary: Path, folder: Path) -> Path:
    secret = kept(folder, "secret", b"sesame")
    model = mlflow_folder(folder, {"sklearn": {"pickled_model": "model.skops"}})
    (model / "model.skops").symlink_to(secret)
    return model


# 9. bombs


def deflated(held: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return out.getvalue()


@hostile("bombs", UNPACK_TO_MEMORY, says="compressed", shows=TELLS)
def a_member_that_grows_a_thousandfold(canary: Path, folder: Path) -> Path:
    return kept(
        folder, "model.ilearner", deflated({**members(good_package()), "payload/zeros": bytes(80 << 20)})
    )


@hostile("bombs", NAMES, says="members in", shows=TELLS)
def sixty_thousand_members(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.ilearner", zipped({f"payload/{number}": b"" for number in range(60_000)}))


@hostile("bombs", SAMPLE_SIZE, says="parts, more than", shows=TELLS)
def a_sample_of_many_empty_lists(canary: Path, folder: Path) -> Path:
    held = {**members(good_package()), "sample.json": b"[" + b"[]," * 600_000 + b"[]]"}
    return kept(folder, "model.ilearner", zipped(relisted(held)))


@hostile("bombs", MANIFEST_READ, says="no readable JSON|parts, more than", shows=DIES)
def a_manifest_nested_without_end(canary: Path, folder: Path) -> Path:
    held = members(good_package())
    return kept(folder, "model.ilearner", zipped({**held, "manifest.json": b"[" * 200_000 + b"]" * 200_000}))


@hostile(
    "bombs",
    LISTED,
    says="is not what its directory says|does not begin where|readable zip|no plain|compressed",
    shows=DIES,
)
def members_that_lie_over_each_other(canary: Path, folder: Path) -> Path:
    data = bytearray(zipped(members(good_package())))
    second = data.index(b"PK\1\2", int.from_bytes(data[-6:-2], "little") + 4)
    data[second + 42 : second + 46] = (0).to_bytes(4, "little")
    return kept(folder, "model.ilearner", bytes(data))


@hostile("bombs", PICKLES, says="longer than is looked through", shows=TELLS)
def a_million_pickles_behind_each_other(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.pkl", b"\x80\x04N." * 1_000_000)


@hostile("bombs", PICKLES_IN_ZIP, says="longer than is looked through", shows=TELLS)
def a_torch_file_of_a_thousand_pickles(canary: Path, folder: Path) -> Path:
    one = b"\x80\x04" + b"]0" * 20_000 + b"N."
    held = {f"model/{number}/data.pkl": one for number in range(1000)}
    return kept(folder, "model.pt", zipped({"model/data.pkl": one, **held}))


@hostile("bombs", PICKLES_IN_ZIP, says="longer than is looked through", shows=TELLS)
def a_torch_file_whose_pickles_are_one_place(canary: Path, folder: Path) -> Path:
    one = b"\x80\x04N." + bytes(4 << 20)
    data = zipped({"model/data.pkl": one, **{f"model/{number:03}.pkl": b"" for number in range(400)}})
    end = data.rindex(b"PK\5\6")
    begin = int.from_bytes(data[end + 16 : end + 20], "little")
    entry = data[begin : begin + 46 + len("model/data.pkl")]
    # the directory tells of the first member again and again; Python reads each where it says it is
    directory = entry * 400
    last = bytearray(data[end:])
    last[8:10] = last[10:12] = (400).to_bytes(2, "little")
    last[12:16] = len(directory).to_bytes(4, "little")
    return kept(folder, "model.pt", data[:begin] + directory + bytes(last))


@hostile("bombs", SKOPS_SIZE, says="compressed", shows=TELLS)
def a_skops_file_that_grows(canary: Path, folder: Path) -> Path:
    return packaged(folder, {"model.skops": deflated({"schema.json": b"[" + b" " * (60 << 20) + b"]"})})


@hostile("bombs", YAML_SIZE, says="repeats or nests", shows=TELLS)
def an_mlmodel_that_repeats_itself(canary: Path, folder: Path) -> Path:
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 6)]
    return mlflow_folder(folder, "\n".join(lines))


# 10. PyTorch


@hostile("torch", TORCH, says="arbitrary Python", needs=("torch",))
def a_file_of_torch_save(canary: Path, folder: Path) -> Path:
    import torch

    torch.save(writes(canary), folder / "model.pt")
    return folder / "model.pt"


@hostile(
    "torch",
    "import torch, sys; torch.load(sys.argv[1], weights_only=False)",
    says="arbitrary Python",
    needs=("torch",),
)
def a_file_of_torch_save_as_it_was_before(canary: Path, folder: Path) -> Path:
    import torch

    torch.save({"weights": writes(canary)}, folder / "model.pth", _use_new_zipfile_serialization=False)
    return folder / "model.pth"


@hostile("torch", TORCHSCRIPT, says="a program .TorchScript.", needs=("torch",))
def a_program_of_torchscript_that_writes(canary: Path, folder: Path) -> Path:
    import torch

    # TorchScript has `torch.save` for programs of its own, and it writes wherever it is told
    source = (
        "import torch\n"
        "class Writing(torch.nn.Module):\n"
        "    def forward(self, rows: torch.Tensor) -> torch.Tensor:\n"
        f"        torch.save(rows, {str(canary)!r})\n"
        "        return rows\n"
    )
    path = kept(folder, "writing.py", source.encode())
    spec = importlib.util.spec_from_file_location("writing_program", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.jit.script(module.Writing()).save(folder / "model.pt")
    path.unlink()
    return folder / "model.pt"


@hostile("torch", TORCH_EXPORT, says="a program .torch.export.", needs=("torch",))
def an_exported_program_with_a_pickle_inside(canary: Path, folder: Path) -> Path:
    import torch

    made = torch.export.export(torch.nn.Linear(1, 1), (torch.zeros(1, 1),))
    out = io.BytesIO()
    torch.export.save(made, out)
    evil = io.BytesIO()
    torch.save(writes(canary), evil)
    held = members(out.getvalue())
    name = next(one for one in held if one.endswith("sample_inputs/model.pt"))
    return kept(folder, "model.pt2", zipped({**held, name: evil.getvalue()}))


@hostile("torch", PACKAGE_ANY, says="should hold|It names a layer|readable|damaged", needs=())
def a_pickle_called_layers(canary: Path, folder: Path) -> Path:
    return packaged(
        folder,
        {"layers.json": pickle.dumps(writes(canary)), "weights.safetensors": b"\0" * 8},
        format="torch",
    )


@hostile("torch", LAYERS_BELIEVED, says="names a layer|is not set|weights", shows=TELLS, needs=("torch",))
def a_layer_that_is_a_function_of_torch(canary: Path, folder: Path) -> Path:
    layers = {"class": "Sequential", "layers": [["0", {"class": "utils.cpp_extension.load"}]]}
    return packaged(
        folder, {"layers.json": json.dumps(layers).encode(), "weights.safetensors": tensors()}, format="torch"
    )


@hostile("torch", LAYERS_BELIEVED, says="weights are not those", shows=TELLS, needs=("torch",))
def a_layer_larger_than_any_memory(canary: Path, folder: Path) -> Path:
    layers = {"class": "Linear", "settings": {"in_features": 2**30, "out_features": 2**30, "bias": False}}
    return packaged(
        folder, {"layers.json": json.dumps(layers).encode(), "weights.safetensors": tensors()}, format="torch"
    )


def tensors() -> bytes:
    header = b"{}      "
    return len(header).to_bytes(8, "little") + header


# 11. ONNX


def onnx_model(**parts: Any) -> Any:
    from onnx import TensorProto, helper

    constant = helper.make_tensor("w", TensorProto.FLOAT, [8], np.zeros(8, "float32"))
    nodes = parts.get("nodes") or [helper.make_node("Identity", ["w"], ["y"])]
    output = helper.make_tensor_value_info("y", parts.get("kind", TensorProto.FLOAT), None)
    graph = helper.make_graph(nodes, "g", [], [output], parts.get("initializers", [constant]))
    opsets = [helper.make_opsetid("", 18), *parts.get("opsets", ())]
    return helper.make_model(graph, opset_imports=opsets, functions=parts.get("functions", ()), ir_version=9)


def beside(location: str, length: int = 32) -> Any:
    from onnx import TensorProto, helper

    tensor = helper.make_tensor("w", TensorProto.FLOAT, [8], np.zeros(8, "float32"))
    tensor.ClearField("float_data")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(length))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return onnx_model(initializers=[tensor])


@hostile("onnx external data", ONNX, says="beside it", shows=TELLS, needs=("onnx", "onnxruntime"))
def an_onnx_file_that_reads_another(canary: Path, folder: Path) -> Path:
    kept(folder, "secret", b"sesame" * 8)
    return kept(folder, "model.onnx", beside("secret").SerializeToString())


@hostile("onnx external data", ONNX, says="beside it", shows=NOTHING, needs=("onnx", "onnxruntime"))
def an_onnx_file_that_reads_above_itself(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.onnx", beside("../../secret").SerializeToString())


@hostile("onnx external data", ONNX, says="beside it", shows=NOTHING, needs=("onnx", "onnxruntime"))
def an_onnx_file_that_reads_the_system(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.onnx", beside("/etc/passwd").SerializeToString())


@hostile("onnx operators", ONNX, says="operator evil.Run", shows=NOTHING, needs=("onnx", "onnxruntime"))
def an_onnx_file_with_an_operator_of_its_own(canary: Path, folder: Path) -> Path:
    from onnx import helper

    made = onnx_model(
        nodes=[helper.make_node("Run", ["w"], ["y"], domain="evil")], opsets=[helper.make_opsetid("evil", 1)]
    )
    return kept(folder, "model.onnx", made.SerializeToString())


@hostile(
    "onnx operators", ONNX_SIZE, says="operator ConstantOfShape", shows=TELLS, needs=("onnx", "onnxruntime")
)
def an_onnx_file_that_makes_much_of_little(canary: Path, folder: Path) -> Path:
    from onnx import TensorProto, helper

    shape = helper.make_tensor("shape", TensorProto.INT64, [1], [20_000_000])
    made = onnx_model(nodes=[helper.make_node("ConstantOfShape", ["shape"], ["y"])], initializers=[shape])
    return kept(folder, "model.onnx", made.SerializeToString())


@hostile(
    "onnx operators", ONNX_LOADS, says="functions of its own", shows=TELLS, needs=("onnx", "onnxruntime")
)
def an_onnx_file_with_functions(canary: Path, folder: Path) -> Path:
    from onnx import helper

    does, opset = [helper.make_node("Identity", ["x"], ["z"])], helper.make_opsetid("", 18)
    inner = helper.make_function("own", "F", ["x"], ["z"], does, [opset])
    asks, own = [helper.make_node("F", ["w"], ["y"], domain="own")], helper.make_opsetid("own", 1)
    made = onnx_model(nodes=asks, functions=[inner], opsets=[own])
    return kept(folder, "model.onnx", made.SerializeToString())


@hostile("onnx operators", ONNX_LOADS, says="larger than what there is", shows=TELLS, needs=("onnx",))
def an_onnx_tensor_that_says_it_is_huge(canary: Path, folder: Path) -> Path:
    made = onnx_model()
    made.graph.initializer[0].dims[0] = 1 << 40
    return kept(folder, "model.onnx", made.SerializeToString())


# 12. altered manifests and names that lie


@hostile("altered manifests", PACKAGE_ANY, says="no readable skops")
def a_pickle_called_skops(canary: Path, folder: Path) -> Path:
    return packaged(folder, {"model.skops": pickle.dumps(writes(canary))})


@hostile("altered manifests", PACKAGE_PICKLE, says="arbitrary Python")
def a_pickle_that_says_it_is_only_data(canary: Path, folder: Path) -> Path:
    return packaged(
        folder, {"model.pkl": pickle.dumps(writes(canary))}, format="cloudpickle", is_data_only=True
    )


@hostile("altered manifests", PACKAGE_PICKLE, says="should hold")
def a_pickle_beside_a_good_model(canary: Path, folder: Path) -> Path:
    good = members(good_package())["payload/model.skops"]
    return packaged(folder, {"model.pkl": pickle.dumps(writes(canary)), "model.skops": good})


@hostile("altered manifests", BELIEVED, says="No model format", shows=TELLS)
def a_format_that_is_a_module(canary: Path, folder: Path) -> Path:
    return packaged(folder, {"model.pkl": b"x"}, format="os.system")


@hostile("altered manifests", LISTED, says="does not give the hash", shows=TELLS)
def another_payload_under_the_same_manifest(canary: Path, folder: Path) -> Path:
    held = members(good_package())
    return kept(
        folder, "model.ilearner", zipped({**held, "payload/model.skops": held["payload/model.skops"] + b"x"})
    )


@hostile("altered manifests", LISTED, says="not those that its manifest lists", shows=TELLS)
def a_member_that_the_manifest_does_not_list(canary: Path, folder: Path) -> Path:
    return zip_of(folder, "payload/more", b"more")


@hostile("altered manifests", REQUIREMENTS_BELIEVED, says="no version of a package", shows=TELLS)
def a_requirement_that_is_an_option_of_pip(canary: Path, folder: Path) -> Path:
    held = relisted(members(good_package()), requirements=["--index-url=http://example.invalid/", "evil"])
    return kept(folder, "model.ilearner", zipped(held))


@hostile("altered manifests", LISTED, says="no signature that we know", shows=TELLS)
def a_seal_that_is_none(canary: Path, folder: Path) -> Path:
    seal = json.dumps({"algorithm": "none", "key_id": "a", "public_key": "a", "signature": "a"}).encode()
    return zip_of(folder, "seal.json", seal)


# 13. names twice, and zips that two readers understand differently


@hostile("two readings", LISTED, says="twice", shows=TELLS)
def a_member_twice(canary: Path, folder: Path) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in members(good_package()).items():
            archive.writestr(zipfile.ZipInfo(name), data)
        archive.writestr(zipfile.ZipInfo("sample.json"), b"{}")
    return kept(folder, "model.ilearner", out.getvalue())


@hostile("two readings", LISTED, says="in other capitals|does not belong", shows=TELLS)
def a_member_twice_in_other_capitals(canary: Path, folder: Path) -> Path:
    return zip_of(folder, "Sample.json", b"{}")


@hostile("two readings", LISTED, says="is not what its directory says", shows=DIES)
def a_member_with_another_name_in_front_of_it(canary: Path, folder: Path) -> Path:
    data = bytearray(zipped(members(good_package())))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        place = archive.getinfo("sample.json").header_offset + 30
    data[place : place + 11] = b"simple.json"
    return kept(folder, "model.ilearner", bytes(data))


@hostile("two readings", LISTED, says="directory is not where|begin where", shows=TELLS)
def something_before_the_zip(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.ilearner", b"#!/bin/sh\nexit\n" + good_package())


@hostile("two readings", LISTED, says="does not end as one|was cut or added to", shows=TELLS)
def something_behind_the_zip(canary: Path, folder: Path) -> Path:
    data = bytearray(good_package())
    data[-2:] = (5).to_bytes(2, "little")
    return kept(folder, "model.ilearner", bytes(data) + b"extra")


@hostile("two readings", LISTED, says="belong to none of its members|does not begin where", shows=TELLS)
def bytes_between_the_members(canary: Path, folder: Path) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members(good_package()).items():
            archive.writestr(zipfile.ZipInfo(name), data)
            archive.fp.write(b"hidden")  # type: ignore[union-attr]
            archive.start_dir = archive.fp.tell()  # type: ignore[union-attr]
    return kept(folder, "model.ilearner", out.getvalue())


# 14. MLflow folders


def mlflow_folder(folder: Path, flavors: dict[str, Any] | str) -> Path:
    import yaml

    model = folder / "model"
    model.mkdir()
    text = (
        flavors
        if isinstance(flavors, str)
        else yaml.safe_dump({"flavors": flavors, "mlflow_version": "3.0.0"})
    )
    (model / "MLmodel").write_text(text)
    return model


@hostile("mlflow folders", YAML, says="wants to make|no readable YAML")
def an_mlmodel_that_makes_an_object(canary: Path, folder: Path) -> Path:
    return mlflow_folder(
        folder, f"flavors: !!python/object/apply:builtins.exec [{json.dumps(code(canary))}]\n"
    )


@hostile("mlflow folders", FOLDER_PICKLE, says="arbitrary Python")
def a_pickled_model_in_a_folder(canary: Path, folder: Path) -> Path:
    model = mlflow_folder(
        folder, {"sklearn": {"pickled_model": "model.pkl", "serialization_format": "skops"}}
    )
    (model / "model.pkl").write_bytes(pickle.dumps(writes(canary)))
    return model


@hostile("mlflow folders", FOLDER_PICKLE, says="not in the folder")
def a_model_file_above_its_folder(canary: Path, folder: Path) -> Path:
    kept(folder, "model.pkl", pickle.dumps(writes(canary)))
    return mlflow_folder(folder, {"sklearn": {"pickled_model": "../model.pkl"}})


@hostile("mlflow folders", FOLDER_CODE, says="one of the flavors")
def a_loader_module_in_the_folder(canary: Path, folder: Path) -> Path:
    model = mlflow_folder(folder, {"python_function": {"loader_module": "evil_loader", "code": "code"}})
    (model / "code").mkdir()
    (model / "code" / "evil_loader.py").write_text(code(canary))
    return model


@hostile("mlflow folders", FOLDER_CODE, says="without code of its own")
def code_beside_a_good_flavor(canary: Path, folder: Path) -> Path:
    flavors = {
        "python_function": {"loader_module": "evil_loader", "code": "code"},
        "sklearn": {"pickled_model": "model.skops", "code": "code"},
    }
    model = mlflow_folder(folder, flavors)
    (model / "code").mkdir()
    (model / "code" / "evil_loader.py").write_text(code(canary))
    return model


# 15. trees that point outside themselves


@hostile("native trees", XGBOOST, says="points outside itself", shows=DIES, needs=("xgboost",))
def an_xgboost_tree_that_leads_far_away(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.ubj", xgboost_with(b"left_children", 0x7FFFFFF0))


@hostile("native trees", XGBOOST, says="points outside itself", shows=DIES, needs=("xgboost",))
def an_xgboost_tree_that_asks_a_column_far_away(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.ubj", xgboost_with(b"split_indices", 0x7FFFFF0))


def xgboost_with(field: bytes, value: int) -> bytes:
    import xgboost

    rows = np.random.default_rng(0).normal(size=(60, 3))
    made = xgboost.train({"nthread": 1, "max_depth": 3}, xgboost.DMatrix(rows, rows[:, 0], nthread=1), 3)
    data = bytearray(made.save_raw("ubj"))
    place = data.index(field) + len(field)
    assert data[place : place + 4] == b"[$l#"
    start = place + 5 + {b"L": 8, b"U": 1, b"i": 1, b"l": 4, b"I": 2}[bytes(data[place + 4 : place + 5])]
    data[start : start + 4] = value.to_bytes(4, "big")
    return bytes(data)


@hostile(
    "native trees",
    LIGHTGBM,
    says="points outside itself|not what it should be",
    shows=DIES,
    needs=("lightgbm",),
)
def a_lightgbm_tree_that_leads_far_away(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.txt", lightgbm_with("left_child", "2000000000"))


@hostile(
    "native trees",
    LIGHTGBM,
    says="points outside itself|not what it should be",
    shows=DIES,
    needs=("lightgbm",),
)
def a_lightgbm_tree_that_asks_a_column_far_away(canary: Path, folder: Path) -> Path:
    return kept(folder, "model.txt", lightgbm_with("split_feature", "2000000000"))


def lightgbm_with(field: str, value: str) -> bytes:
    import lightgbm

    rows = np.random.default_rng(0).normal(size=(200, 3))
    settings = {"verbose": -1, "num_threads": 1}
    lines = lightgbm.train(settings, lightgbm.Dataset(rows, rows[:, 0]), 2).model_to_string().split("\n")
    place = next(index for index, line in enumerate(lines) if line.startswith(f"{field}="))
    before = len(lines[place])
    lines[place] = f"{field}={value} {lines[place].split(' ', 1)[1]}"
    sizes = next(index for index, line in enumerate(lines) if line.startswith("tree_sizes="))
    first, rest = lines[sizes].removeprefix("tree_sizes=").split(" ", 1)
    lines[sizes] = f"tree_sizes={int(first) + len(lines[place]) - before} {rest}"
    return "\n".join(lines).encode()


@hostile("native trees", CATBOOST, says="CatBoost's reader", shows=DIES, needs=("catboost",))
def a_catboost_file_that_points_outside_itself(canary: Path, folder: Path) -> Path:
    """Which byte does it depends on the version, so it is looked for among those of the trees, in processes."""
    import catboost

    rows = np.random.default_rng(0).normal(size=(60, 3))
    made = catboost.CatBoost({"iterations": 5, "verbose": 0, "thread_count": 1, "allow_writing_files": False})
    path = folder / "model.cbm"
    made.fit(rows, rows[:, 0]).save_model(str(path))
    asked = subprocess.run(
        [sys.executable, "-c", _DEADLY, str(path)], capture_output=True, timeout=200, check=False
    )
    assert asked.returncode == 0, "no byte of it ends the process"
    return path


_DEADLY = """
import catboost, numpy, os, signal, sys
good = open(sys.argv[1], "rb").read()
for back in (*range(380, 600), *range(1, 380)):
    changed = bytearray(good)
    changed[-back] = 253
    child = os.fork()
    if not child:
        signal.alarm(20)
        try:
            model = catboost.CatBoost()
            model.load_model(blob=bytes(changed))
            model.predict(numpy.zeros((5, 3)), thread_count=1)
        except Exception:
            pass
        os._exit(0)
    if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        open(sys.argv[1], "wb").write(changed)
        sys.exit(0)
sys.exit(1)
"""
