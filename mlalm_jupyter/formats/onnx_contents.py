"""What an ONNX file holds, read from its bytes: operators, files beside it, labels; nothing is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlalm_jupyter.formats.archive import damaged_payload
from mlalm_jupyter.formats.protobuf import NotProtobuf, fields

MOST_FIELDS = 1_000_000
DEEPEST = 12

# Operators whose results are of about the size of what they are given. Those that loop, or make much of little
# (Loop, Scan, Expand, Tile, Range, ConstantOfShape, Resize, Pad, OneHot and the like), are for somebody's trust.
_PLAIN_NAMES = (
    "Abs Acos Add And ArgMax ArgMin Asin Atan AveragePool BatchNormalization Cast CastLike Ceil Celu Clip "
    "Concat Constant Conv Cos Cosh CumSum DequantizeLinear Div Dropout Elu Equal Erf Exp Flatten Floor "
    "Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual "
    "HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LRN LSTM GRU RNN "
    "LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization MatMul Max MaxPool Mean "
    "Min Mish Mod Mul Neg NonZero Not Or PRelu Pow QuantizeLinear Reciprocal ReduceL1 ReduceL2 "
    "ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare "
    "Relu Reshape Round Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign Split Sqrt "
    "Squeeze Sub Sum Tan Tanh TopK Transpose Unsqueeze Where Xor "
)
_LEARNED_NAMES = (
    "ArrayFeatureExtractor Binarizer CastMap CategoryMapper DictVectorizer FeatureVectorizer Imputer "
    "LabelEncoder LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor "
    "Scaler TreeEnsembleClassifier TreeEnsembleRegressor TreeEnsemble ZipMap "
)
_PLAIN = frozenset(_PLAIN_NAMES.split())
_ALLOWED = {"": _PLAIN, "ai.onnx": _PLAIN, "ai.onnx.ml": frozenset(_LEARNED_NAMES.split())}


@dataclass
class OnnxContents:
    """What an ONNX file says of itself."""

    wants: set[str] = field(default_factory=set)
    labels: list[object] = field(default_factory=list)
    has_graph: bool = False
    count: int = 0


def onnx_contents(data: bytes) -> OnnxContents:
    """Everything in an ONNX file that decides whether it may be opened."""
    found = OnnxContents()
    try:
        _model(memoryview(data), found)
    except NotProtobuf as error:
        raise damaged_payload(f"It is no readable ONNX model: it holds {error}.") from error
    if not found.has_graph:
        raise damaged_payload("It is no readable ONNX model: it has no graph.")
    return found


def _walked(part: int | memoryview, found: OnnxContents) -> list[tuple[int, int | memoryview]]:
    if isinstance(part, int):
        raise NotProtobuf("a number where a part should be")
    held = []
    for one in fields(part):
        found.count += 1
        if found.count > MOST_FIELDS:
            raise NotProtobuf(f"more than the {MOST_FIELDS} fields that are looked through")
        held.append(one)
    return held


def _model(data: memoryview, found: OnnxContents) -> None:
    for number, value in _walked(data, found):
        if number == 7:
            found.has_graph = True
            _graph(value, found, 0)
        elif number == 20:
            found.wants.add("a graph for training")
        elif number == 25:
            found.wants.add("functions of its own")


def _graph(data: int | memoryview, found: OnnxContents, depth: int) -> None:
    if depth > DEEPEST:
        raise NotProtobuf("graphs in graphs without end")
    for number, value in _walked(data, found):
        if number == 1:
            _node(value, found, depth)
        elif number == 5:
            _tensor(value, found)
        elif number == 15:
            found.wants.add("sparse parts, which are not looked through")


def _node(data: int | memoryview, found: OnnxContents, depth: int) -> None:
    name = domain = ""
    attributes = []
    for number, value in _walked(data, found):
        if number == 4:
            name = _text(value)
        elif number == 7:
            domain = _text(value)
        elif number == 5:
            attributes.append(value)
    if name not in _ALLOWED.get(domain, ()):
        found.wants.add(f"the operator {domain + '.' if domain else ''}{name}"[:120])
    for one in attributes:
        _attribute(one, found, depth)


def _attribute(data: int | memoryview, found: OnnxContents, depth: int) -> None:
    name = ""
    labels: list[object] = []
    for number, value in _walked(data, found):
        if number == 1:
            name = _text(value)
        elif number in (5, 10):
            _tensor(value, found)
        elif number in (6, 11):
            _graph(value, found, depth + 1)
        elif number in (22, 23):
            found.wants.add("sparse parts, which are not looked through")
        elif number == 8 and isinstance(value, int) and len(labels) < 10_000:
            labels.append(value - (1 << 64) if value >> 63 else value)
        elif number == 9 and len(labels) < 10_000:
            labels.append(_text(value))
    if name.startswith("classlabels_"):
        found.labels = labels


def _tensor(data: int | memoryview, found: OnnxContents) -> None:
    size, held = 1, 0
    for number, value in _walked(data, found):
        if number == 1 and isinstance(value, int):
            size *= value
        elif number == 13:
            where = dict(_entry(value, found))
            found.wants.add(f"the file {where.get('location', '')[:100]!r} beside it")
        elif number == 14 and value == 1:
            found.wants.add("a file beside it")
        elif isinstance(value, memoryview):
            held += len(value)
    if size > 8 * (held + 64) + len(_walked(data, found)):
        raise NotProtobuf("a tensor that says it is larger than what there is of it")


def _entry(data: int | memoryview, found: OnnxContents) -> list[tuple[str, str]]:
    told = {number: _text(value) for number, value in _walked(data, found)}
    return [(told.get(1, ""), told.get(2, ""))]


def _text(value: int | memoryview) -> str:
    if isinstance(value, int) or len(value) > 4096:
        raise NotProtobuf("a name that is none")
    return bytes(value).decode("utf-8", "replace")
